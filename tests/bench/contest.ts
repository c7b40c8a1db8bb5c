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

/** Lets all contenders run in each round, each time another one first. */
export async function contest(
  contenders: readonly Contender[],
  { rounds, onRun }: { readonly rounds: number; readonly onRun: (line: string) => void },
): Promise<Standings> {
  const runs = new Map<string, { measured: Measured; extras: Extras }[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      if (!contender) continue;
      const { measured, extras = {} } = await contender.run();
      runs.set(contender.name, [...(runs.get(contender.name) ?? []), { measured, extras }]);
      onRun(
        `round ${round + 1}: ${contender.name}: ${measured.seconds.toFixed(2)} s, cpu ${measured.cpu.toFixed(2)} s`,
      );
    }
  }
  return new Standings(contenders.map(({ name }) => standing(name, runs.get(name) ?? [])));
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
