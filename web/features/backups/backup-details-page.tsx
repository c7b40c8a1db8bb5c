import { PageHeader } from '../../components/page-header.tsx';

export function BackupDetailsPage() {
  return <PageHeader title="Backup" />;
}
