import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type * as z from 'zod';
import type { ErrorBody } from '../../src/api/errors.ts';
import type { ManagerRouteName, managerRoutes } from '../../src/api/manager.ts';
import { addressOf, type Values } from './address.ts';

type Routes = typeof managerRoutes;
export type In<Name extends ManagerRouteName, Part extends 'params' | 'query' | 'body'> = z.input<Routes[Name][Part]>;
/** `query` and others without which nothing is missing may be left out. */
type Needed<Key extends string, Value> = undefined extends Value
  ? { readonly [key in Key]?: undefined }
  : Record<never, never> extends Value
    ? { readonly [key in Key]?: Value }
    : { readonly [key in Key]: Value };

/** What a route wants: the parts that may be empty may be left out. */
export type Asked<Name extends ManagerRouteName> = Needed<'params', In<Name, 'params'>> &
  Needed<'query', In<Name, 'query'>> &
  Needed<'body', In<Name, 'body'>>;
export type Answer<Name extends ManagerRouteName> = z.output<Routes[Name]['response']>;

/** The routes that only read. */
export type ReadRoute = {
  [Name in ManagerRouteName]: Routes[Name]['method'] extends 'GET' ? Name : never;
}[ManagerRouteName];

/** What the manager answered that is not a success, or `code` `unreachable` when nothing answered. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: string;
  /** Of HTTP; 0 when nothing answered. */
  readonly status: number;
  readonly nextStep: string | undefined;
  readonly details: unknown;

  constructor(status: number, error: ErrorBody['error'], cause?: unknown) {
    super(error.message, { cause });
    this.status = status;
    this.code = error.code;
    this.nextStep = error.nextStep;
    this.details = error.details;
  }
}

/** Asks the manager. @throws ApiError */
export async function call<Name extends ManagerRouteName>(
  name: Name,
  asked: Asked<Name>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Answer<Name>> {
  const { method, path } = __MANAGER_ROUTES__[name];
  const { params, query, body } = partsOf(asked);
  const response = await fetch(`/api/v1${addressOf(path, { params, query })}`, {
    method,
    credentials: 'same-origin',
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: options.signal,
  }).catch((cause: unknown) => {
    options.signal?.throwIfAborted();
    throw unreachable(cause);
  });
  if (!response.ok) throw await errorOf(response);
  if (response.status === 204) return undefined as Answer<Name>;
  return (await response.json().catch((cause: unknown) => {
    options.signal?.throwIfAborted();
    throw unreachable(cause);
  })) as Answer<Name>;
}

/** For useQuery: read again whenever the manager says that something it shows changed (see events.ts). */
export function asking<Name extends ReadRoute>(name: Name, asked: Asked<Name>) {
  return queryOptions({
    queryKey: [topicOf(name), name, asked] as const,
    queryFn: ({ signal }) => call(name, asked, { signal }),
  });
}

/** As `asking`, and the rows of before stay while other ones are read. */
export function askingList<Name extends ReadRoute>(name: Name, asked: Asked<Name>) {
  return { ...asking(name, asked), placeholderData: keepPreviousData };
}

/** First part of a route's path, e.g. `backups`. */
export function topicOf(name: ManagerRouteName): string {
  return __MANAGER_ROUTES__[name].path.split('/')[1] ?? '';
}

/** @throws nothing; an answer that is no `ErrorBody` is told as such. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  if (isErrorBody(body)) return new ApiError(response.status, body.error);
  return new ApiError(response.status, {
    code: 'answer-invalid',
    message: `Cannot read the manager's answer as it is not one of Holdfast: status ${response.status}`,
    nextStep: 'Check whether a proxy between this browser and the manager answers in its place.',
  });
}

function unreachable(cause: unknown): ApiError {
  const error = {
    code: 'unreachable',
    message: 'Cannot reach the manager as it does not answer',
    nextStep:
      'Check that it runs and that this computer can reach it. This page goes on by itself as soon as it answers.',
  };
  return new ApiError(0, error, cause);
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

function partsOf(asked: object): { params: Values; query: Values; body: unknown } {
  const { params = {}, query = {}, body }: { params?: Values; query?: Values; body?: unknown } = asked;
  return { params, query, body };
}
