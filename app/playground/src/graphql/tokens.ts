/** Credentials as headers, and tokens by client credentials (RFC 6749 section 4.4). */

export type Headers = Record<string, string>;

/** The headers in an editor, or null where they are no JSON object. */
export function parsedHeaders(text: string): Headers | null {
  try {
    const value: unknown = JSON.parse(text.trim() || '{}');
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Headers) : null;
  } catch {
    return null;
  }
}

const isCredential = (name: string) => ['x-api-key', 'authorization'].includes(name.toLowerCase());

export function withoutCredentials(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isCredential(name)));
}

export function credentialsOf(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isCredential(name)));
}

export const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });

/** An access token and how many seconds it is good, or what the gateway has against it. */
export async function fetchToken(client: string, secret: string, scope: string): Promise<{ token: string; seconds: number } | { fault: string }> {
  const basic = btoa(`${encodeURIComponent(client)}:${encodeURIComponent(secret)}`);
  try {
    const response = await fetch('/oauth/token', {
      method: 'POST',
      headers: { Authorization: `Basic ${basic}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
    });
    const body = (await response.json()) as Record<string, string | number>;
    if (response.ok) return { token: String(body['access_token']), seconds: Number(body['expires_in']) };
    return { fault: `No token: ${body['error_description'] ?? body['detail'] ?? body['error'] ?? response.status}` };
  } catch (fault) {
    return { fault: `No token: ${String(fault)}` };
  }
}

/** Who credentials belong to and what they allow, or why they are refused, in a sentence. */
export async function whoIs(headers: Headers): Promise<string> {
  try {
    const response = await fetch('/api/v1/viewer', { headers: { Accept: 'application/json', ...headers } });
    const body = (await response.json()) as { name?: string; scopes?: string[]; title?: string; detail?: string };
    return response.ok ? `You are ${body.name}, with ${body.scopes?.join(', ') || 'no scope'}.` : `${body.title}: ${body.detail}`;
  } catch (fault) {
    return `Whose they are could not be asked: ${String(fault)}`;
  }
}
