import type { Command, Option } from 'commander';
import { define, type Definition, managerOptions, option, type Runner } from './define.ts';
import { label, wholeNumber } from './parse-options.ts';

const yes = option('-y, --yes', 'do not ask for confirmation');
const description = option('--description <text>', 'for people').argParser(label);

/** `holdfast service`, `storage` and `token`, and what a manager knows of agents. */
export function defineInventory(program: Command, { agent, run }: { agent: Command; run: Runner }): void {
  const group = (name: string, text: string): Command =>
    program
      .command(name)
      .summary(text)
      .description(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  const all: readonly (readonly [Command, readonly Definition[]])[] = [
    [group('service', 'the database servers that a manager protects'), serviceCommands],
    [group('storage', 'the storage locations of a manager: buckets and directories'), storageCommands],
    [agent, agentCommands],
    [group('token', 'the API tokens of a manager'), tokenCommands],
  ];
  for (const [parent, definitions] of all) {
    for (const each of definitions)
      define(parent, { ...each, options: [...(each.options ?? []), ...managerOptions] }, run);
  }
}

const services = async () => import('./on-manager/services.ts');
const serviceFields: readonly Option[] = [
  option('--agent <name>', 'the agent beside the server; default: the one of the same name'),
  option('--cluster-label <text>', 'prefills the folder of its backups').argParser(label),
  description,
];
const serviceCommands: readonly Definition[] = [
  {
    usage: 'list',
    summary: 'list the services',
    examples: [['holdfast service list', 'with state, version and size']],
    load: async () => (await services()).listServices,
  },
  {
    usage: 'show <name>',
    summary: 'show one service',
    examples: [['holdfast service show shop', 'all that is known of it']],
    load: async () => (await services()).showService,
  },
  {
    usage: 'add <name>',
    summary: 'protect the database server beside an agent',
    options: serviceFields,
    examples: [['holdfast service add shop --agent db1 --cluster-label shop', 'of agent db1']],
    load: async () => (await services()).addService,
  },
  {
    usage: 'edit <name>',
    summary: 'change a service',
    options: serviceFields,
    examples: [['holdfast service edit shop --agent db2', 'after the server has moved']],
    load: async () => (await services()).editService,
  },
  {
    usage: 'test <name>',
    summary: 'ask its agent whether the server can be backed up',
    examples: [['holdfast service test shop', 'exit code 2 when something is in the way']],
    load: async () => (await services()).testService,
  },
  {
    usage: 'remove <name>',
    summary: 'stop protecting a service; its backups stay',
    options: [yes],
    examples: [['holdfast service remove shop', 'asks for its name to be typed']],
    load: async () => (await services()).removeService,
  },
];

const locations = async () => import('./on-manager/locations.ts');
const placeFields: readonly Option[] = [
  option('--bucket <name>', 'of an S3 store; its keys come from HOLDFAST_S3_ACCESS_KEY_ID and _SECRET_ACCESS_KEY'),
  option('--prefix <folder>', 'in the bucket'),
  option('--region <name>', 'of the bucket'),
  option('--endpoint <url>', "of a store other than Amazon's"),
  option('--addressing <how>', 'how the bucket stands in addresses').choices(['path', 'virtual']),
  option('--directory <path>', "instead of a bucket: the same path on the manager's and the agents' hosts"),
  description,
];
const storageCommands: readonly Definition[] = [
  {
    usage: 'list',
    summary: 'list the storage locations',
    examples: [['holdfast storage list', 'with what the last test found']],
    load: async () => (await locations()).listLocations,
  },
  {
    usage: 'show <name>',
    summary: 'show one storage location; never its secrets',
    examples: [['holdfast storage show s3', 'all that is known of it']],
    load: async () => (await locations()).showLocation,
  },
  {
    usage: 'add <name>',
    summary: 'add a storage location, after a test of it',
    description:
      'The test writes, reads back, lists and deletes, and says which permission is missing. Without the passphrase nobody can read the backups: keep it elsewhere, too.',
    options: [...placeFields, option('--no-encryption', 'store backups readable for everyone who can read the store')],
    examples: [
      [
        'holdfast storage add s3 --bucket backups --endpoint https://s3.example.net --passphrase-file pass',
        'a bucket of any S3 store',
      ],
      ['holdfast storage add nas --directory /srv/backups --passphrase-file pass', 'a directory'],
    ],
    load: async () => (await locations()).addLocation,
  },
  {
    usage: 'edit <name>',
    summary: 'change a storage location, after a test of it',
    options: placeFields,
    examples: [['holdfast storage edit s3 --description "in Frankfurt"', 'secrets stay as they are unless given']],
    load: async () => (await locations()).editLocation,
  },
  {
    usage: 'test <name>',
    summary: 'write, read back, list and delete',
    examples: [['holdfast storage test s3', 'exit code 2 when something is in the way']],
    load: async () => (await locations()).testLocation,
  },
  {
    usage: 'remove <name>',
    summary: 'forget a storage location that no backup uses; what is stored stays',
    options: [yes],
    examples: [['holdfast storage remove nas', 'asks for its name to be typed']],
    load: async () => (await locations()).removeLocation,
  },
];

const agents = async () => import('./on-manager/agents.ts');
const agentCommands: readonly Definition[] = [
  {
    usage: 'list',
    summary: 'list the agents of a manager',
    examples: [['holdfast agent list', 'with state and version']],
    load: async () => (await agents()).listAgents,
  },
  {
    usage: 'show <name>',
    summary: 'show what a manager knows of an agent',
    examples: [['holdfast agent show db1', 'what it may do, and how it is']],
    load: async () => (await agents()).showAgent,
  },
  {
    usage: 'token',
    summary: 'make a token with which one agent can join a manager, once',
    options: [
      option('--valid-seconds <seconds>', 'how long it can be used')
        .argParser(wholeNumber({ min: 60, max: 604_800 }))
        .default(3600),
      option('--replaces <agent>', 'for an agent that is there: it was set up anew, or lost its state'),
    ],
    examples: [['holdfast agent token > join-token', 'then carry it to the host of the agent']],
    load: async () => (await agents()).joinToken,
  },
  {
    usage: 'remove <name>',
    summary: 'have a manager forget an agent that no service uses',
    options: [yes],
    examples: [['holdfast agent remove db1', 'asks for its name to be typed']],
    load: async () => (await agents()).removeAgent,
  },
];

const tokens = async () => import('./on-manager/tokens.ts');
const tokenCommands: readonly Definition[] = [
  {
    usage: 'create <name>',
    summary: 'make an API token; it is printed this once',
    options: [
      option('--role <role>', 'what it may do').choices(['viewer', 'operator', 'admin']).default('operator'),
      option('--user <name>', 'sign in as this admin, where there is no token yet'),
      option('--password-file <file>', 'holds the password of that admin'),
    ],
    examples: [
      [
        'holdfast token create cron --user admin --password-file /var/lib/holdfast/manager/initial-password > token',
        'the first one',
      ],
    ],
    load: async () => (await tokens()).createToken,
  },
  {
    usage: 'list',
    summary: 'list the tokens, never what they are',
    examples: [['holdfast token list', 'with when each was last used']],
    load: async () => (await tokens()).listTokens,
  },
  {
    usage: 'remove <name>',
    summary: 'revoke a token',
    options: [yes],
    examples: [['holdfast token remove cron', 'asks for its name to be typed']],
    load: async () => (await tokens()).removeToken,
  },
];
