import type { ServerControlConfig } from '../core/server-control.ts';
import { InvalidRequest } from '../lib/failure.ts';
import { splitCommand } from './split-command.ts';

export interface ControlWords {
  readonly unit?: string | undefined;
  readonly stopCommand?: string | undefined;
  readonly startCommand?: string | undefined;
}

/** How the server is stopped and started; undefined where nothing is said. @throws InvalidRequest `control-unclear` */
export function controlOf({ unit, stopCommand, startCommand }: ControlWords): ServerControlConfig | undefined {
  if ((stopCommand === undefined) !== (startCommand === undefined) || (unit !== undefined && stopCommand !== undefined))
    throw new InvalidRequest('control-unclear', 'Cannot tell how the server is stopped and started', {
      nextStep: 'Give --unit, or both --stop-command and --start-command, or stop the server yourself and give none.',
    });
  if (unit !== undefined) return { type: 'systemd', unit };
  if (stopCommand === undefined || startCommand === undefined) return undefined;
  return { type: 'commands', stop: splitCommand(stopCommand), start: splitCommand(startCommand) };
}
