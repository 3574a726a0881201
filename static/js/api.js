/** Calls of the service's HTTP API. Every failure is an ApiError. */

const TIMEOUT_MS = 15_000;
/** A smaller difference of the clocks is ignored: the Date header has whole seconds. */
const TOLERATED_SKEW_MS = 5_000;

/** Milliseconds that the service's clock is ahead of the clock of this device. */
let clockOffset = 0;

/**
 * Why a call failed. `network` and `timeout`: there was no answer. `problem`: the service answered
 * with an error.
 */
export class ApiError extends Error {
  /**
   * @param {'network' | 'timeout' | 'problem'} kind
   * @param {{status?: number, retryAfter?: number | null, requestId?: string,
   *   fields?: {pointer: string, message: string}[]}} [facts]
   */
  constructor(kind, facts = {}) {
    super(`${kind} ${facts.status ?? ''}`.trim());
    this.kind = kind;
    this.status = facts.status ?? 0;
    this.retryAfter = facts.retryAfter ?? null;
    this.requestId = facts.requestId ?? '';
    this.fields = facts.fields ?? [];
  }
}

/**
 * The time by the service's clock. With it, a wrong clock of this device does not end a session
 * early.
 * @returns {number} milliseconds since 1970
 */
export function serverNow() {
  return Date.now() + clockOffset;
}

/**
 * Compares the Date header with the clock of this device.
 * @param {Response} response
 */
function noteClock(response) {
  const offset = Date.parse(response.headers.get('Date') ?? '') - Date.now();
  if (Number.isFinite(offset)) clockOffset = Math.abs(offset) > TOLERATED_SKEW_MS ? offset : 0;
}

/**
 * The Retry-After header, which holds seconds or a date (RFC 9110 §10.2.3).
 * @param {Response} response
 * @returns {number | null} seconds, at least 1; null without the header
 */
function retryAfter(response) {
  const value = response.headers.get('Retry-After');
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - serverNow()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
}

/**
 * @param {Response} response with an error status
 * @returns {Promise<ApiError>}
 */
async function problem(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError('problem', {
    status: response.status,
    retryAfter: retryAfter(response),
    requestId: body.request_id,
    fields: Array.isArray(body.errors) ? body.errors : [],
  });
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
async function call(path, init) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  const cancel = () => limit.abort();
  init.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const response = await fetch(path, { cache: 'no-store', ...init, signal: limit.signal });
    noteClock(response);
    if (!response.ok) throw await problem(response);
    return await response.json();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(limit.signal.aborted ? 'timeout' : 'network');
  } finally {
    clearTimeout(timer);
    init.signal?.removeEventListener('abort', cancel);
  }
}

/**
 * @param {string} path
 * @param {object} body sent as JSON
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export function post(path, body, signal) {
  const headers = { 'Content-Type': 'application/json' };
  return call(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

/**
 * @param {string} path of something that anyone may read
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export function get(path) {
  return call(path, {});
}

/**
 * @param {string} id
 * @param {string} token
 * @returns {Promise<import('./profile.js').User>}
 * @throws {ApiError}
 */
export function getUser(id, token) {
  const headers = { Authorization: `Bearer ${token}` };
  return call(`/users/${encodeURIComponent(id)}`, { headers });
}
