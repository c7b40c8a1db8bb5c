import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
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
  const plan = useQuery({
    queryKey: ['plan', asked] as const,
    queryFn: ({ signal }) => call('planRestore', { body: JSON.parse(asked ?? 'null') as RestoreBody }, { signal }),
    enabled: asked !== undefined,
    placeholderData: keepPreviousData,
    refetchInterval: planAgeMs,
    gcTime: planAgeMs,
  });
  const isOfBefore = asked !== text || plan.isPlaceholderData;
  return {
    plan: plan.data,
    error: plan.error,
    again: () => void plan.refetch(),
    isFetching: plan.isFetching,
    /** It is that of what was wanted before. */
    isOfBefore,
    isGo: plan.data?.isGo === true && !isOfBefore && plan.error === null,
    isRefused: plan.data?.isGo === false && !isOfBefore,
  };
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
