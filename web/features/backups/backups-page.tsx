import { PageHeader } from '../../components/page-header.tsx';

export function BackupsPage() {
  return <PageHeader title="All Backups" />;
}
