import * as z from 'zod';
import { preflightSchema } from './agent.ts';
import { locationSecretsSchema, locationSpecSchema, serviceSpecSchema } from './inventory.ts';
import { descriptionText, folderSchema, resourceNameSchema } from './resource-fields.ts';
import { resourceSchema } from './resources.ts';
import {
  byName,
  get,
  listQuery,
  type ManagerRoute,
  none,
  nothing,
  oneOfSeveral,
  page,
  post,
  remove,
} from './route-kit.ts';

const agent = resourceSchema('Agent');
const service = resourceSchema('Service');
const location = resourceSchema('StorageLocation');

export const serviceCreateSchema = serviceSpecSchema.extend({ name: resourceNameSchema });
export const locationCreateSchema = locationSpecSchema.extend({
  name: resourceNameSchema,
  secrets: locationSecretsSchema.default({}),
});

/** What is not named stays. */
export const serviceUpdateSchema = z.strictObject({
  agent: resourceNameSchema.optional(),
  /** `null` takes it away. */
  clusterLabel: folderSchema.nullable().optional(),
  description: descriptionText.optional(),
});
export const locationUpdateSchema = z.strictObject({
  ...locationSpecSchema.pick({ place: true, isEncrypted: true }).partial().shape,
  description: descriptionText.optional(),
  /** Those that are given take the place of the ones before; the others stay. */
  secrets: locationSecretsSchema.optional(),
});

/** Agents, services and storage locations. */
export const inventoryRoutes = {
  listAgents: {
    ...get,
    path: '/agents',
    summary: 'Agents',
    query: listQuery(['name', 'state', 'lastSeenAt'], { state: oneOfSeveral }),
    response: page(agent),
  },
  getAgent: { ...get, path: '/agents/:name', params: byName, summary: 'One agent', response: agent },
  createJoinToken: {
    ...post,
    path: '/agents/join-tokens',
    role: 'admin',
    summary: 'Make a token with which one agent can join, once',
    body: z.strictObject({
      validSeconds: z.int().min(60).max(604_800).default(3600),
      /** An agent that is there already and may join again under its name, e.g. as its host was replaced. */
      replaces: resourceNameSchema.optional(),
    }),
    status: 201,
    response: z.object({ token: z.string(), expiresAt: z.iso.datetime(), command: z.string() }),
  },
  updateAgent: {
    method: 'PATCH',
    path: '/agents/:name',
    role: 'admin',
    summary: 'Describe an agent',
    params: byName,
    query: none,
    body: z.strictObject({ description: descriptionText }),
    status: 200,
    response: agent,
  },
  removeAgent: { ...remove, path: '/agents/:name', role: 'admin', summary: 'Forget an agent that no service uses' },
  listServices: {
    ...get,
    path: '/services',
    summary: 'Services',
    query: listQuery(['name', 'agent', 'technology', 'state', 'dataBytes'], { state: oneOfSeveral }),
    response: page(service),
  },
  getService: { ...get, path: '/services/:name', params: byName, summary: 'One service', response: service },
  createService: {
    ...post,
    path: '/services',
    role: 'admin',
    summary: 'Protect a database server',
    body: serviceCreateSchema,
    status: 201,
    response: service,
  },
  updateService: {
    method: 'PATCH',
    path: '/services/:name',
    role: 'admin',
    summary: 'Change a service',
    params: byName,
    query: none,
    body: serviceUpdateSchema,
    status: 200,
    response: service,
  },
  testService: {
    ...post,
    path: '/services/:name/test',
    summary: 'Ask the agent whether the server can be backed up',
    params: byName,
    body: nothing,
    status: 200,
    response: preflightSchema,
  },
  removeService: {
    ...remove,
    path: '/services/:name',
    role: 'admin',
    summary: 'Stop protecting a service; its backups stay',
  },
  listLocations: {
    ...get,
    path: '/locations',
    summary: 'Storage locations',
    query: listQuery(['name', 'type', 'state'], { state: oneOfSeveral }),
    response: page(location),
  },
  getLocation: {
    ...get,
    path: '/locations/:name',
    params: byName,
    summary: 'One storage location',
    response: location,
  },
  createLocation: {
    ...post,
    path: '/locations',
    role: 'admin',
    summary: 'Add a storage location, after a test',
    body: locationCreateSchema,
    status: 201,
    response: location,
  },
  updateLocation: {
    method: 'PATCH',
    path: '/locations/:name',
    role: 'admin',
    summary: 'Change a storage location, after a test',
    params: byName,
    query: none,
    body: locationUpdateSchema,
    status: 200,
    response: location,
  },
  testLocation: {
    ...post,
    path: '/locations/test',
    role: 'admin',
    summary: 'Write, read back, list and delete, before it is added',
    body: locationCreateSchema.omit({ name: true, description: true }),
    status: 200,
    response: preflightSchema,
  },
  testStoredLocation: {
    ...post,
    path: '/locations/:name/test',
    summary: 'Write, read back, list and delete',
    params: byName,
    body: nothing,
    status: 200,
    response: location,
  },
  removeLocation: {
    ...remove,
    path: '/locations/:name',
    role: 'admin',
    summary: 'Forget a storage location that no backup uses; what is stored stays',
  },
} as const satisfies Record<string, ManagerRoute>;
