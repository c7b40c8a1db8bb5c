import { Code } from '@mantine/core';
import { Facts } from '../../components/facts.tsx';

export interface ReplicationPositionProps {
  readonly gtid: string | undefined;
  readonly binlog: { readonly file: string; readonly position: string } | undefined;
}

/** Where the replication of the restored data would go on. */
export function ReplicationPosition({ gtid, binlog }: ReplicationPositionProps) {
  const hasGtid = gtid !== undefined && gtid !== '';
  return (
    <Facts
      facts={[
        ['GTID', hasGtid ? <Code key="gtid">{gtid}</Code> : 'none: the server had no GTID'],
        [
          'Binary log',
          binlog === undefined ? (
            'none: the binary log was off'
          ) : (
            <Code key="binlog">{`${binlog.file}, position ${binlog.position}`}</Code>
          ),
        ],
      ]}
    />
  );
}
