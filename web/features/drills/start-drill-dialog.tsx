import { Modal } from '@mantine/core';

export interface StartDrillDialogProps {
  /** Name of the backup; undefined: closed. */
  readonly backup: string | undefined;
  readonly onClose: () => void;
}

export function StartDrillDialog({ backup, onClose }: StartDrillDialogProps) {
  return (
    <Modal opened={backup !== undefined} onClose={onClose} title={`Drill of ${backup ?? ''}`}>
      {null}
    </Modal>
  );
}
