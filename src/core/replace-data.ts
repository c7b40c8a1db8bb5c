import { Failure } from '../lib/failure.ts';
import { type Placement, type PlaceOptions, placeRestored } from './placement.ts';
import {
  bringUpServer,
  type ControlOptions,
  type ServerControlConfig,
  startServer,
  stopServer,
} from './server-control.ts';

export interface ReplaceOptions {
  readonly control: ServerControlConfig;
  /** Whether it answers must be asked in a way that the restored accounts allow, too. */
  readonly server: Omit<ControlOptions, 'dataDirectory' | 'signal'>;
  readonly place: Omit<PlaceOptions, 'signal'>;
  readonly signal: AbortSignal;
  readonly onStep: (step: 'stop' | 'place' | 'start' | 'roll-back') => void;
}

/**
 * Stops the server of a data directory, puts restored data in its place, and starts the server on it. When the server does
 * not answer then, the old data comes back and the server is started on that. The old data is kept in either case.
 *
 * The signal counts until the restored data is in place; from then on, and for bringing the server back after a stop that did
 * not come to its end, only the limits do, so that nobody is left without a server.
 * @throws Failure `restored-server-silent`: rolled back, the server runs on its old data.
 * @throws Failure `roll-back-failed`: someone must look; the message says where the data is.
 */
export async function replaceData(options: ReplaceOptions): Promise<Placement> {
  const { control, place, onStep } = options;
  const placement = await stopAndPlace(options);
  onStep('start');
  try {
    await startServer(control, controlOptions(options, untilDone()));
  } catch (cause) {
    onStep('roll-back');
    await rollBack(placement, options, cause);
    throw new Failure(
      'restored-server-silent',
      `Cannot run the server on the restored data as it does not answer: ${place.target} holds its old data again`,
      {
        cause,
        ...(cause instanceof Failure ? { evidence: cause.evidence } : {}),
        nextStep: `The restored data is in ${preparedOf(place)}; see the server's error log for why it did not start.`,
      },
    );
  }
  await placement.confirm();
  return placement;
}

/** Where stopping or placing fails the old data is there as before, and so shall be the server. */
async function stopAndPlace(options: ReplaceOptions): Promise<Placement> {
  const { control, place, signal, onStep } = options;
  onStep('stop');
  try {
    await stopServer(control, controlOptions(options, signal));
    onStep('place');
    return await placeRestored({ ...place, signal });
  } catch (cause) {
    if (cause instanceof Failure && cause.code === 'placement-unfinished') throw cause;
    await bringUpServer(control, controlOptions(options, untilDone())).catch((error: unknown) => {
      throw new Failure(
        'roll-back-failed',
        `Cannot start the server again after a restore that failed: its old data is in ${place.target}`,
        {
          cause: new AggregateError([cause, error]),
          nextStep: `Start the server by hand; its data was not changed. What was restored is in ${preparedOf(place)}.`,
        },
      );
    });
    throw cause;
  }
}

function preparedOf(place: ReplaceOptions['place']): string {
  return [place, ...(place.areas ?? [])].map(({ prepared }) => prepared).join(' and ');
}

async function rollBack(placement: Placement, options: ReplaceOptions, cause: unknown): Promise<void> {
  const { control, place } = options;
  const signal = untilDone();
  try {
    // A server that does not answer may run all the same.
    await stopServer(control, controlOptions(options, signal));
    await placement.rollBack({ signal });
    await startServer(control, controlOptions(options, signal));
  } catch (error) {
    throw new Failure(
      'roll-back-failed',
      `Cannot bring the server back on its old data: see ${place.target} and ${placement.old ?? 'nothing else'}`,
      {
        cause: new AggregateError([cause, error]),
        nextStep: 'Stop the server by hand and run the restore again: it first ends what was begun.',
      },
    );
  }
}

function controlOptions({ server, place }: ReplaceOptions, signal: AbortSignal): ControlOptions {
  return { ...server, dataDirectory: place.target, signal };
}

function untilDone(): AbortSignal {
  return new AbortController().signal;
}
