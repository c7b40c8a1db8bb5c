import { median, type Measured } from './measure.ts';

/** Figures beside time: bytes, mostly. */
export type Extras = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  /** Does what is measured, with whatever must be made ready before and read afterwards. */
  run(): Promise<{ readonly measured: Measured; readonly extras?: Extras }>;
}

/** What one contender did in all rounds. */
export interface Standing {
  readonly name: string;
  /** Medians. */
  readonly seconds: number;
  readonly cpu: number;
  /** Most memory of any round. */
  readonly holdfastMemory: number;
  readonly toolMemory: number;
  /** Medians. */
  readonly extras: Extras;
  readonly rounds: readonly { readonly seconds: number; readonly cpu: number; readonly extras: Extras }[];
}

type Run = Awaited<ReturnType<Contender['run']>>;

/** A run during which the host took more of the processors than this tells more of the host. */
const STOLEN_AT_MOST = 0.03;
const TRIES = 4;

export interface ContestOptions {
  readonly rounds: number;
  /** How often a run that was disturbed is made again; 1 where it cannot be. */
  readonly tries?: number;
  readonly onRun: (line: string) => void;
}

/** Lets all contenders run in each round, each time another one first. */
export async function contest(
  contenders: readonly Contender[],
  { rounds, tries = TRIES, onRun }: ContestOptions,
): Promise<Standings> {
  const runs = new Map<string, { measured: Measured; extras: Extras }[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (!contender) continue;
      const { measured, extras = {} } = await leastDisturbed(contender, {
        tries,
        onRun: (run) => onRun(`round ${round + 1}: ${contender.name}: ${figuresOf(run)}`),
      });
      runs.set(contender.name, [...(runs.get(contender.name) ?? []), { measured, extras }]);
    }
  }
  return new Standings(contenders.map(({ name }) => standing(name, runs.get(name) ?? [])));
}

/** Runs it until the host took next to nothing of the processors meanwhile; the least disturbed run counts, with the most memory of any. */
async function leastDisturbed(
  contender: Contender,
  { tries, onRun }: { readonly tries: number; readonly onRun: (run: Run) => void },
): Promise<Run> {
  const runs: Run[] = [];
  for (let isDisturbed = true; isDisturbed && runs.length < tries;) {
    const run = await contender.run();
    onRun(run);
    runs.push(run);
    isDisturbed = run.measured.stolen > STOLEN_AT_MOST;
  }
  const [best] = runs.toSorted((a, b) => a.measured.stolen - b.measured.stolen);
  if (!best) throw new RangeError('no try');
  const most = (of: (memory: Measured['memory']) => number): number =>
    Math.max(...runs.map(({ measured }) => of(measured.memory)));
  const memory = { holdfast: most(({ holdfast }) => holdfast), tools: most(({ tools }) => tools) };
  return { ...best, measured: { ...best.measured, memory } };
}

function figuresOf({ measured: { seconds, cpu, stolen } }: Run): string {
  const disturbed = stolen > STOLEN_AT_MOST ? `, ${Math.round(stolen * 100)} % of the processors stolen` : '';
  return `${seconds.toFixed(2)} s, cpu ${cpu.toFixed(2)} s${disturbed}`;
}

function standing(name: string, runs: readonly { measured: Measured; extras: Extras }[]): Standing {
  const middle = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of));
  const most = (of: (run: (typeof runs)[number]) => number): number => Math.max(...runs.map(of));
  const names = new Set(runs.flatMap(({ extras }) => Object.keys(extras)));
  return {
    name,
    seconds: middle(({ measured }) => measured.seconds),
    cpu: middle(({ measured }) => measured.cpu),
    holdfastMemory: most(({ measured }) => measured.memory.holdfast),
    toolMemory: most(({ measured }) => measured.memory.tools),
    extras: Object.fromEntries([...names].map((key) => [key, middle(({ extras }) => extras[key] ?? Number.NaN)])),
    rounds: runs.map(({ measured, extras }) => ({ seconds: measured.seconds, cpu: measured.cpu, extras })),
  };
}

export class Standings {
  readonly all: readonly Standing[];

  constructor(all: readonly Standing[]) {
    this.all = all;
  }

  of(name: string): Standing {
    const found = this.all.find((each) => each.name === name);
    if (!found) throw new RangeError(`no contender ${name}`);
    return found;
  }

  /** Median over the rounds of one contender's figure divided by another's in the same round. */
  ratio(
    name: string,
    to: string,
    figure: (round: Standing['rounds'][number]) => number = ({ seconds }) => seconds,
  ): number {
    const others = this.of(to).rounds;
    return median(
      this.of(name).rounds.map((round, at) => {
        const other = others[at];
        return other ? figure(round) / figure(other) : Number.NaN;
      }),
    );
  }
}
