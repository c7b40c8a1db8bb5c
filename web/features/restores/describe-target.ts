import type { SpecOf } from '../../../src/api/resources.ts';

/** `shop-primary, in place`, `/srv/restores/x on db2` */
export function describeTarget({ target, agent }: Pick<SpecOf<'Restore'>, 'target' | 'agent'>): string {
  return 'service' in target ? `${target.service}, in place` : `${target.directory} on ${agent}`;
}

/** Steps that a restore will surely have. */
export function mainSteps({ target }: Pick<SpecOf<'Restore'>, 'target'>): readonly string[] {
  return [
    'preflight',
    'download',
    'prepare',
    'sync',
    ...('service' in target ? ['stop', 'place', 'start'] : ['place']),
  ];
}
