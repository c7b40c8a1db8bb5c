/** Names of options and variables whose values are secrets or lead to them. */
const secretName =
  /pass(word|wd|phrase)?$|password|passphrase|secret|credential|token|private[-_]key|[-_]key[-_]?(data|material|management[-_]filekey)|encrypt[-_]key|transition[-_]key|filekey/i;
// Each pattern starts only where a word does: lines may be 64 KiB long, and a start at every letter would take minutes.
const assignment =
  /(?<![\w-])(?=[\w-]*(?:pass(?:word|wd|phrase)|secret|credential|token|encrypt-key|transition-key|filekey))([\w-]+\s*=\s*)("[^"]*"|'[^']*'|[^\s,;]+)/gi;
const identifiedBy =
  /(\bidentified\s+(?:by|via\s+\S+\s+using)\s+(?:password\s*\(?\s*|password\s+)?)('[^']*'|"[^"]*")/gi;
const inUrl = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:)[^\s@/]+@/gi;

/** Is this the name of an option or variable whose value must not be shown? */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** The line with values of password-like options, and the given secrets wherever they stand, replaced by `***`. */
export function withoutSecrets(line: string, secrets: readonly string[] = []): string {
  let clean = line.replace(assignment, '$1***').replace(identifiedBy, '$1***').replace(inUrl, '$1***@');
  for (const secret of secrets) {
    // A very short password would turn up by chance in half of the words.
    if (secret.length >= 4) clean = clean.replaceAll(secret, '***');
  }
  return clean;
}
