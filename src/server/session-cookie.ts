export interface SessionCookie {
  /** What the browser sent. */
  read(header: string | undefined): string | undefined;
  /** Header `Set-Cookie`; without a secret it takes the cookie away. */
  write(secret: string | undefined): string;
}

const limitSeconds = 7 * 24 * 3600;

/** No script can read it, no other site sends it, and with TLS no other host can set it. */
export function sessionCookie({ isSecure }: { readonly isSecure: boolean }): SessionCookie {
  const name = isSecure ? '__Host-holdfast' : 'holdfast';
  return {
    read: (header) => {
      const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
      const [, value] = pairs.find(([key]) => key === name) ?? [];
      return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
    },
    write: (secret) => {
      const age = secret === undefined ? 0 : limitSeconds;
      return `${name}=${secret ?? ''}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
    },
  };
}
