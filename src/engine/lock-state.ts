/**
 * What a tool holds of its server, from harmless to harmful:
 * `none` < `changes` (some statements wait: DDL, or writes to tables without transactions) < `commits` (every commit waits).
 */
export type LockLevel = 'none' | 'changes' | 'commits';

export interface LockRule {
  readonly line: RegExp;
  readonly level: LockLevel;
}

/**
 * MariaDB's stages, as its documentation of BACKUP STAGE describes them. START blocks only the purge of redo files and
 * other backups, FLUSH blocks new writes to tables without transactions, BLOCK_DDL waits for the running ones and blocks
 * CREATE, DROP, TRUNCATE, RENAME and the last step of ALTER, BLOCK_COMMIT blocks the binary log and every commit; END ends it.
 * The tool prints `Starting`/`Started` before it asks for the lock: a waiting request already holds others up.
 * Before 10.11.8 it printed no stages and went from START to BLOCK_COMMIT at `Acquiring BACKUP LOCKS`; since then that
 * line belongs to START.
 */
export const mariadbLockRules: readonly LockRule[] = [
  { line: /\bStart(ing|ed) BACKUP STAGE FLUSH\b/, level: 'changes' },
  { line: /\bStart(ing|ed) BACKUP STAGE BLOCK_DDL\b/, level: 'changes' },
  { line: /\bStart(ing|ed) BACKUP STAGE BLOCK_COMMIT\b/, level: 'commits' },
  { line: /\bExecuting FLUSH TABLES WITH READ LOCK\b/, level: 'commits' },
  { line: /\bAll tables unlocked\b/, level: 'none' },
];

/** The extra rule for MariaDB's tools without stages. */
export const mariadbUnstagedLockRules: readonly LockRule[] = [
  { line: /\bAcquiring BACKUP LOCKS\b/, level: 'commits' },
  ...mariadbLockRules,
];

/**
 * LOCK INSTANCE FOR BACKUP (MySQL) blocks DDL; LOCK TABLES FOR BACKUP (Percona Server) also writes to tables without
 * transactions; FLUSH TABLES WITH READ LOCK, taken where such tables exist without backup locks, blocks every write.
 */
export const xtrabackupLockRules: readonly LockRule[] = [
  { line: /\bExecuting LOCK (INSTANCE|TABLES) FOR BACKUP\b/, level: 'changes' },
  { line: /\bExecuting FLUSH TABLES WITH READ LOCK\b/, level: 'commits' },
  { line: /\bAll tables unlocked\b/, level: 'none' },
];

/** Follows a tool's lines. */
export class LockState {
  readonly #rules: readonly LockRule[];
  readonly #onChange: (level: LockLevel) => void;
  #level: LockLevel = 'none';

  constructor(rules: readonly LockRule[], onChange: (level: LockLevel) => void) {
    this.#rules = rules;
    this.#onChange = onChange;
  }

  get level(): LockLevel {
    return this.#level;
  }

  observe(line: string): void {
    const rule = this.#rules.find((each) => each.line.test(line));
    if (!rule || rule.level === this.#level) return;
    this.#level = rule.level;
    this.#onChange(rule.level);
  }
}
