/** Text of others (names in a bucket, lines of tools) must not steer the terminal: control characters but tabs become `?`. */
export function plainText(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => (character === '\t' ? character : '?'));
}
