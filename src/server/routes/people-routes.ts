import { peopleRoutes } from '../../api/people-routes.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Person } from '../people/person.ts';
import type { MountRoutes } from './route-context.ts';

/** Sessions, passwords, tokens. */
export const mountPeopleRoutes: MountRoutes = (mount, { people, clock, version }) => {
  const userOf = async (person: Person) => ({ ...person, hasInitialPassword: await people.hasInitialPassword(person) });
  mount(peopleRoutes.signIn, async ({ body, address, setSession }) => {
    const { person, session } = await people.signIn({ ...body, address });
    setSession(session);
    return userOf(person);
  });
  mount(peopleRoutes.getSession, async ({ person }) => userOf(person()));
  mount(peopleRoutes.signOut, async ({ person, setSession }) => {
    people.signOut(person());
    setSession(undefined);
  });
  mount(peopleRoutes.changePassword, async ({ body, person, address }) =>
    people.changePassword(person(), { ...body, address }),
  );
  mount(peopleRoutes.listTokens, async () => ({ items: people.tokens.list() }));
  mount(peopleRoutes.createToken, async ({ body: { name, role } }) => ({ token: people.tokens.create(name, role) }));
  mount(peopleRoutes.removeToken, async ({ params }) => people.tokens.remove(params.name));
  mount(peopleRoutes.getManager, async () => ({ version, time: isoTime(clock.now()) }));
};
