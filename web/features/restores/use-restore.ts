import { useDebouncedValue } from '@mantine/hooks';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { call } from '../../lib/api.ts';
import type { RestoreBody } from './restore-draft.ts';

const typingMs = 350;
/** Free space and what runs on the host change. */
const planAgeMs = 30_000;

/** What a restore would do, asked for again whenever something else is wanted. */
export function usePlan(body: RestoreBody | undefined) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const [asked] = useDebouncedValue(text, typingMs);
  const wish = asked === undefined ? undefined : (JSON.parse(asked) as RestoreBody);
  const target = targetKey(wish);
  const plan = useQuery({
    ...planOf(wish),
    enabled: wish !== undefined,
    refetchInterval: planAgeMs,
    // Another answer changes little, so the plan stays meanwhile; that of another target would mislead.
    placeholderData: (before, query) => (query?.queryKey[1] === target ? before : undefined),
  });
  const isOfTarget = targetKey(body) === target;
  const isKnown = asked === text && plan.data !== undefined && !plan.isPlaceholderData;
  return {
    plan: isOfTarget ? plan.data : undefined,
    error: isOfTarget ? plan.error : null,
    again: () => void plan.refetch(),
    isFetching: plan.isFetching,
    isRefused: isKnown && !plan.data.isGo,
  };
}

/** Looks at the plan of what is wanted in the end; where a server's data is replaced, a person is asked once more. */
export function useBegin(onPlanned: (body: RestoreBody) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: RestoreBody) => queries.fetchQuery({ ...planOf(body), staleTime: planAgeMs }),
    onSuccess: ({ isGo }, body) => {
      if (isGo) onPlanned(body);
    },
  });
}

/** Starts the restore and goes to its page. */
export function useStart() {
  const router = useRouter();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: RestoreBody) => call('createRestore', { body }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: ['restores'] });
      await router.navigate({ to: '/restores/$name', params: { name } });
    },
  });
}

function planOf(body: RestoreBody | undefined) {
  return queryOptions({
    queryKey: ['plan', targetKey(body), JSON.stringify(body)] as const,
    queryFn: ({ signal }) => {
      if (body === undefined) throw new Error('Cannot plan a restore as nobody said where to');
      return call('planRestore', { body }, { signal });
    },
    gcTime: planAgeMs,
  });
}

function targetKey(body: RestoreBody | undefined): string | undefined {
  return body === undefined ? undefined : JSON.stringify([body.agent, body.target]);
}
