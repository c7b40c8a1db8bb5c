import { PageHeader } from '../../components/page-header.tsx';

export function CreateBackupPage() {
  return <PageHeader title="Create Backup" />;
}
