import { CorruptData } from '../lib/failure.ts';
import type { BackupFacts, FilePiece } from './engine.ts';
import { readBackupFacts } from './tool-metadata.ts';

/** Larger than any of the tools' own files but a GTID set of thousands of servers. What is in them must fit into a seal, which may have 1 MiB. */
const maximumMetadataBytes = 768 * 1024;

export interface ContentRules {
  /** Each entry is a list of names of which one must be in the backup, complete. */
  readonly mandatory: readonly (readonly string[])[];
  readonly checkpoints: readonly string[];
  readonly info: readonly string[];
  readonly binlogInfo: readonly string[];
}

/** Watches the pieces of a backup pass: keeps the tool's own small files and notes which mandatory files were complete. */
export class BackupContents {
  readonly #rules: ContentRules;
  readonly #kept: ReadonlySet<string>;
  readonly #watched: ReadonlySet<string>;
  readonly #texts = new Map<string, Uint8Array[]>();
  readonly #complete = new Set<string>();

  constructor(rules: ContentRules) {
    this.#rules = rules;
    this.#kept = new Set([...rules.checkpoints, ...rules.info, ...rules.binlogInfo]);
    this.#watched = new Set([...this.#kept, ...rules.mandatory.flat()]);
  }

  take(batch: readonly FilePiece[]): void {
    for (const piece of batch) {
      if (piece.type === 'end' && this.#watched.has(piece.path)) this.#complete.add(piece.path);
      if (piece.type === 'data' && this.#kept.has(piece.path)) this.#keep(piece.path, piece.offset, piece.bytes);
    }
  }

  /** Call after the last piece. Throws CorruptData when a mandatory file is missing or the tool's files make no sense. */
  facts(): BackupFacts {
    const missing = this.#rules.mandatory.filter((names) => !names.some((name) => this.#complete.has(name)));
    if (missing.length > 0) {
      const names = missing.map((each) => each.join(' or ')).join(', ');
      throw new CorruptData(
        'files-missing',
        `Cannot take the backup as good as files are missing that every backup has: ${names}`,
        {
          nextStep: 'Check the log of the backup for what the tool said, and run it again.',
        },
      );
    }
    return readBackupFacts({
      checkpoints: this.#text(this.#rules.checkpoints) ?? '',
      info: this.#text(this.#rules.info) ?? '',
      binlogInfo: this.#text(this.#rules.binlogInfo),
    });
  }

  #keep(path: string, offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > maximumMetadataBytes) {
      throw new CorruptData(
        'tool-metadata',
        `Cannot take the backup as good as ${path} is larger than ${maximumMetadataBytes} bytes`,
        {
          nextStep:
            "Look at the server's set of GTIDs (`gtid_executed`, `gtid_current_pos`): it must be shorter, so close its gaps or remove what it need not remember.",
        },
      );
    }
    const parts = this.#texts.get(path) ?? [];
    // A copy: the bytes are valid until the next batch only.
    parts.push(Uint8Array.from(bytes));
    this.#texts.set(path, parts);
  }

  #text(names: readonly string[]): string | undefined {
    const name = names.find((each) => this.#complete.has(each));
    return name === undefined ? undefined : Buffer.concat(this.#texts.get(name) ?? []).toString('utf8');
  }
}
