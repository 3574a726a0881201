/** The token, and what it says of itself. The storage keys are part of the service's contract. */
import { serverNow } from './api.js';

const TOKEN = 'webauthn_jwt';
const USER_ID = 'webauthn_user_id';

/**
 * Reads the payload without verifying it: only the service can do that, the page only needs to
 * know how long to count.
 * @param {string} token
 * @returns {{iat?: number, exp?: number}}
 */
function claims(token) {
  try {
    const text = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * @param {string} token
 * @param {string} userId
 */
export function saveSession(token, userId) {
  sessionStorage.setItem(TOKEN, token);
  sessionStorage.setItem(USER_ID, userId);
}

export function clearSession() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(USER_ID);
}

/**
 * @returns {{token: string, userId: string, issued: number, expires: number} | null}
 *   times in milliseconds; a token that cannot be read counts as expired long ago
 */
export function loadSession() {
  const token = sessionStorage.getItem(TOKEN);
  const userId = sessionStorage.getItem(USER_ID);
  if (!token || !userId) return null;
  const { iat = 0, exp = 0 } = claims(token);
  return { token, userId, issued: iat * 1000, expires: exp * 1000 };
}

/** @param {{expires: number}} session */
export function isExpired(session) {
  return !(session.expires > serverNow());
}
