import * as z from 'zod';
import { resourceNameSchema } from './resource-fields.ts';
import { get, type ManagerRoute, none, nothing, post, remove, roleSchema } from './route-kit.ts';

export const userSchema = z.object({
  name: z.string(),
  role: roleSchema,
  /** Its password is still the one that was made at the first start: it should be changed. */
  hasInitialPassword: z.boolean(),
});
const passwordSchema = z.string().min(1).max(1000);
const newPasswordSchema = z.string().min(10).max(1000);

/** Who uses the manager, and with what. */
export const peopleRoutes = {
  signIn: {
    ...post,
    path: '/session',
    role: 'anyone',
    summary: 'Sign in',
    body: z.strictObject({ name: z.string().min(1).max(100), password: passwordSchema }),
    status: 200,
    response: userSchema,
  },
  getSession: { ...get, path: '/session', summary: 'Who is signed in', response: userSchema },
  signOut: { ...remove, params: none, path: '/session', role: 'viewer', summary: 'Sign out' },
  changePassword: {
    ...post,
    path: '/session/password',
    role: 'viewer',
    summary: 'Change your own password',
    body: z.strictObject({ password: passwordSchema, newPassword: newPasswordSchema }),
    status: 204,
    response: nothing,
  },
  listTokens: {
    ...get,
    path: '/tokens',
    role: 'admin',
    summary: 'API tokens',
    response: z.object({
      items: z.array(
        z.object({
          name: resourceNameSchema,
          role: roleSchema,
          createdAt: z.iso.datetime(),
          lastUsedAt: z.iso.datetime().optional(),
        }),
      ),
    }),
  },
  createToken: {
    ...post,
    path: '/tokens',
    role: 'admin',
    summary: 'Make an API token; it is shown this once',
    body: z.strictObject({ name: resourceNameSchema, role: roleSchema }),
    status: 201,
    response: z.object({ token: z.string() }),
  },
  removeToken: { ...remove, path: '/tokens/:name', role: 'admin', summary: 'Revoke an API token' },
  getManager: {
    ...get,
    path: '/manager',
    role: 'anyone',
    summary: 'Which program this is',
    response: z.object({ version: z.string(), time: z.iso.datetime() }),
  },
} as const satisfies Record<string, ManagerRoute>;
