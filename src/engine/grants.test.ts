import { describe, expect, it } from 'vitest';
import { parseGrants, privilegeFinding } from './grants.ts';

const account = "'bk'@'localhost'";
const needed = [
  { privilege: 'RELOAD' },
  { privilege: 'BINLOG MONITOR', or: ['SUPER'] },
  { privilege: 'SELECT', on: 'performance_schema.log_status' },
];

describe('privileges', () => {
  it('are read from what servers print', () => {
    const grants = parseGrants(
      [
        "GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO `bk`@`localhost` IDENTIFIED BY PASSWORD '*0D3CED9BEC10A777AEC23CCC353A8C08A633045E'",
        'GRANT SELECT ON `performance_schema`.`log_status` TO `bk`@`localhost`',
        'GRANT `reader`@`%` TO `bk`@`localhost`',
      ],
      account,
    );
    expect([...grants.global]).toEqual(['RELOAD', 'PROCESS', 'BINLOG MONITOR']);
    expect(grants.roles).toEqual(['reader@%']);
    expect(privilegeFinding(grants, needed).level).toBe('ok');
  });

  it.each([
    ['all', ['GRANT ALL PRIVILEGES ON *.* TO `bk`@`localhost` WITH GRANT OPTION']],
    ['others that include them', ['GRANT RELOAD, SUPER ON *.* TO x', 'GRANT SELECT ON `performance_schema`.* TO x']],
  ])('may come as %s', (_, lines) => {
    expect(privilegeFinding(parseGrants(lines, account), needed).level).toBe('ok');
  });

  it('that are missing are named, with the statements that grant them', () => {
    const finding = privilegeFinding(parseGrants(['GRANT USAGE ON *.* TO x', 'GRANT `backup` TO x'], account), needed);
    expect(finding).toMatchObject({
      level: 'error',
      code: 'missing-privilege',
      message: expect.stringContaining(
        'RELOAD on *.*, BINLOG MONITOR on *.*, SELECT on performance_schema.log_status. A role counts only',
      ),
      nextStep: `Run GRANT RELOAD, BINLOG MONITOR ON *.* TO ${account}; GRANT SELECT ON performance_schema.log_status TO ${account};`,
    });
  });
});
