import * as z from 'zod';
import { errorBodySchema } from '../api/errors.ts';
import { managerEventSchema } from '../api/events.ts';
import { logKinds, managerRoutes } from '../api/manager.ts';
import type { ManagerRoute } from '../api/route-kit.ts';
import { apiPrefix } from './server.ts';

type Json = Record<string, unknown>;

/** Schemas that get a name, as several routes answer with them. */
const named = new Map<z.ZodType, string>([
  [managerRoutes.getAgent.response, 'Agent'],
  [managerRoutes.getService.response, 'Service'],
  [managerRoutes.getLocation.response, 'StorageLocation'],
  [managerRoutes.getBackup.response, 'Backup'],
  [managerRoutes.getRestore.response, 'Restore'],
  [managerRoutes.getDrill.response, 'Drill'],
  [errorBodySchema, 'Error'],
  [managerEventSchema, 'Event'],
]);

/** The OpenAPI 3.1 document of the manager, made of the schemas that check what comes in and what goes out. */
export function openApiDocument(version: string): Json {
  const schemas = componentSchemas();
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries<ManagerRoute>(managerRoutes)) {
    const path = `${apiPrefix}${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  for (const kind of logKinds) paths[`${apiPrefix}/${kind}/{name}/log`] = { get: logOperation(kind) };
  paths[`${apiPrefix}/events`] = { get: eventsOperation() };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast manager',
      version,
      description:
        'Physical backups of MySQL, Percona Server and MariaDB that are known to restore. People sign in and have a cookie; programs send a token.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token of the manager.' },
        session: { type: 'apiKey', in: 'cookie', name: 'holdfast', description: 'Of someone who signed in.' },
      },
    },
  };
}

function componentSchemas(): Json {
  return Object.fromEntries(
    [...named].map(([schema, name]) => [name, jsonSchema(schema, 'output', { isNamed: true })]),
  );
}

function operation(name: string, route: ManagerRoute): Json {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  const isOpen = route.role === 'anyone';
  return {
    operationId: name,
    summary: route.summary,
    description: isOpen ? 'For anyone.' : `For those who are at least ${route.role}.`,
    security: isOpen ? [] : [{ token: [] }, { session: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isNothing(route.body)
      ? {}
      : { requestBody: { required: true, content: jsonContent(jsonSchema(route.body, 'input')) } }),
    responses: {
      [route.status]: {
        description: 'Done',
        ...(isNothing(route.response) ? {} : { content: jsonContent(jsonSchema(route.response, 'output')) }),
      },
      ...failures,
    },
  };
}

const failures = {
  default: {
    description: 'What went wrong; the code is stable, the message is for people.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  },
};
const nameParameter = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };

function logOperation(kind: string): Json {
  return {
    operationId: `${kind}Log`,
    summary: 'What the tools print, one line each',
    description:
      'For those who are at least viewer. Header `holdfast-first-line` tells the number of the first line. With `follow` the answer goes on until the run ends or nothing was said for a while.',
    security: [{ token: [] }, { session: [] }],
    parameters: [
      nameParameter,
      { name: 'from', in: 'query', schema: { type: 'integer', minimum: 0, default: 0 } },
      { name: 'follow', in: 'query', schema: { enum: ['true', 'false'], default: 'false' } },
    ],
    responses: {
      200: { description: 'Lines', content: { 'text/plain': { schema: { type: 'string' } } } },
      ...failures,
    },
  };
}

function eventsOperation(): Json {
  return {
    operationId: 'events',
    summary: 'What changes, as server-sent events; it does not end by itself',
    description: 'For those who are at least viewer. Each event holds a JSON document.',
    security: [{ token: [] }, { session: [] }],
    responses: {
      200: {
        description: 'Events',
        content: { 'text/event-stream': { schema: { $ref: '#/components/schemas/Event' } } },
      },
      ...failures,
    },
  };
}

function parametersOf(schema: z.ZodType, where: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = z
    .object({ properties: z.record(z.string(), z.unknown()).optional(), required: z.array(z.string()).optional() })
    .parse(jsonSchema(schema, 'input'));
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }));
}

function isNothing(schema: z.ZodType): boolean {
  return schema instanceof z.ZodUndefined;
}

function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } };
}

/** @param isNamed the schema itself, not a reference to it */
function jsonSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
  { isNamed = false }: { readonly isNamed?: boolean } = {},
): Json {
  const own = named.get(schema);
  if (own !== undefined && !isNamed) return { $ref: `#/components/schemas/${own}` };
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema: json, path }) => {
      const name = path.length === 0 ? undefined : nameOf(zodSchema);
      if (name !== undefined) {
        for (const key of Object.keys(json)) delete json[key];
        json.$ref = `#/components/schemas/${name}`;
      }
      // Only JavaScript knows these classes of characters.
      if (json.pattern?.includes(String.raw`\p{`) === true) delete json.pattern;
    },
  });
  return made;
}

function nameOf(schema: unknown): string | undefined {
  return [...named].find(([each]) => each === schema)?.[1];
}
