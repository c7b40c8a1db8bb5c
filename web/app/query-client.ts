import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from '../lib/api.ts';

const maximumRetries = 2;

/** @param onSignedOut is told when an answer says that nobody is signed in (any more) */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const hear = (error: Error): void => {
    if (error instanceof ApiError && error.status === 401) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: hear }),
    mutationCache: new MutationCache({ onError: hear }),
    defaultOptions: {
      queries: {
        // The events say when something changed; this is for those that were lost.
        staleTime: 15_000,
        retry: (count, error) => count < maximumRetries && isWorthRetrying(error),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}

function isWorthRetrying(error: Error): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}
