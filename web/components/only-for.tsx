import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { AsyncRouteComponent } from '@tanstack/react-router';
import type { Role } from '../../src/api/route-kit.ts';
import { asking } from '../lib/api.ts';
import { useMay } from '../lib/may.ts';
import { AnchorLink } from './links.tsx';
import { PageHeader } from './page-header.tsx';

/** A page that only leads to what the manager would refuse says so at once, to whom it would. */
export function onlyFor(role: Role, Page: AsyncRouteComponent<object>): AsyncRouteComponent<object> {
  const Guarded = () => (useMay(role) ? <Page /> : <NotForYou role={role} />);
  return Object.assign(Guarded, Page.preload === undefined ? {} : { preload: Page.preload });
}

function NotForYou({ role }: { readonly role: Role }) {
  const { data: user } = useQuery(asking('getSession', {}));
  return (
    <>
      <PageHeader title={`This takes the role ${role}`} />
      <Text size="sm">
        {user === undefined ? '' : `You are ${user.name}, with the role ${user.role}. `}Ask someone who is {role} to do
        it.{' '}
        <AnchorLink to="/backups" underline="always">
          All backups
        </AnchorLink>{' '}
        are there for you to look at.
      </Text>
    </>
  );
}
