/** The stored access token. The storage keys are part of the service's contract. */
import { serverNow } from './api.js';

/**
 * @typedef {{token: string, userId: string, issued: number, expires: number, signedIn: number}}
 *   Session times in milliseconds since 1970; `signedIn`: when the passkey was used
 */

const TOKEN = 'webauthn_jwt';
const USER_ID = 'webauthn_user_id';

/**
 * Reads the claims without verifying the token. Only the service can verify it; the page needs the
 * times for its countdown.
 * @param {string} token
 * @returns {{iat?: number, exp?: number, auth_time?: number}}
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
 * @returns {Session | null} null without a stored token. A token that cannot be read has the times
 *   0, so it has expired
 */
export function loadSession() {
  const token = sessionStorage.getItem(TOKEN);
  const userId = sessionStorage.getItem(USER_ID);
  if (!token || !userId) return null;
  const { iat = 0, exp = 0, auth_time = iat } = claims(token);
  const [issued, expires, signedIn] = [iat, exp, auth_time].map((seconds) => seconds * 1000);
  return { token, userId, issued, expires, signedIn };
}

/**
 * @param {Session} session
 * @returns {boolean}
 */
export function isExpired(session) {
  return !(session.expires > serverNow());
}
