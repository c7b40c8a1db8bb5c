/**
 * What the names of secret options and variables have in them, with `-` or `_` between their words: looked up in the lists
 * of MariaDB 10.11 and 11.8, MySQL 8 and 9, their plugins, and the tools.
 */
const secretWord =
  'pass(?:word|wd|phrase)|pwd|secret|credentials?|token|sst[-_]auth|private[-_]key|api[-_]?key|filekey|(?:encrypt|transition)[-_]key|key[-_]?(?:data|material)|otlp[-_][a-z]+[-_]headers';
const secretName = new RegExp(secretWord, 'i');
/** The value is the secret itself, even where it is a number. */
const endsAsSecret = new RegExp(`(?:${secretWord})(?:[-_](?:id|wr))?$`, 'i');
/** Beside a word for secrets these say that the value is none: `ssl_password_file`, `ngram_token_size`. */
const harmlessName = /[-_.](?:files?|path|dir|size|plugin|policy)$/i;
/** `password_history = 0` says nothing secret. */
const harmlessValue = /^(?:|on|off|true|false|yes|no|[0-9.]+)$/i;
// Each pattern starts only where a word does: lines may be 64 KiB long, and a start at every letter would take minutes.
const assignment = new RegExp(
  String.raw`(?<![\w-])(?=[\w-]*(?:${secretWord}))([\w-]+)(?:["']?\s*=\s*|["']\s*:\s*)("[^"]*"|'[^']*'|\S+)`,
  'gi',
);
const identifiedBy =
  /(\bidentified\s+(?:(?:with|via)\s+\S+\s+)?(?:by|using|as)\s+(?:password\s*\(?\s*)?)('[^']*'|"[^"]*")/gi;
const inUrl = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:)[^\s/'"]+@/gi;
/** `user:password@host`, as some drivers write it. */
const beforeHost = /(?<![\w.+:/-])([\w.+-]+:)[^\s/'"]{1,256}@/g;

/** Must the value of this option or variable not be shown? */
export function isSecret(name: string, value: string): boolean {
  if (!secretName.test(name) || harmlessName.test(name)) return false;
  return value !== '' && (endsAsSecret.test(name) || !harmlessValue.test(value));
}

/** The line with values of password-like options, and the given secrets wherever they stand, replaced by `***`. */
export function withoutSecrets(line: string, secrets: readonly string[] = []): string {
  let clean = line
    .replace(assignment, (all, name: string, value: string) =>
      isSecret(name, value) ? `${all.slice(0, all.length - value.length)}***` : all,
    )
    .replace(identifiedBy, '$1***')
    .replace(inUrl, '$1***@')
    .replace(beforeHost, '$1***@');
  for (const secret of secrets) {
    // A very short password would turn up by chance in half of the words.
    if (secret.length >= 4) clean = clean.replaceAll(secret, '***');
  }
  return clean;
}
