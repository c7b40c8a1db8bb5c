import { Button } from '@mantine/core';
import { EmptyState } from './empty-state.tsx';

/** In place of a list whose filters leave nothing. */
export function NothingMatches({ onClear }: { readonly onClear: () => void }) {
  return (
    <EmptyState
      title="Nothing matches"
      icon="search"
      actions={
        <Button variant="default" onClick={onClear}>
          Clear filters
        </Button>
      }
    >
      The filters or the search leave nothing of this list.
    </EmptyState>
  );
}
