/** The service, as the page sees it: one call, one kind of error. */

const PATIENCE_MS = 15_000;
/** A client clock that is off by less than this is not worth correcting. */
const SKEW_MS = 5_000;

let clockOffset = 0;

/**
 * Why a call failed, in terms of what the person can do about it.
 * `network` and `timeout` never reached an answer, `problem` is an answer.
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
 * The time by the service's clock, so that a wrong clock here does not end a session early.
 * @returns {number} milliseconds since 1970
 */
export function serverNow() {
  return Date.now() + clockOffset;
}

/** @param {Response} response */
function noteClock(response) {
  const offset = Date.parse(response.headers.get('Date') ?? '') - Date.now();
  if (Number.isFinite(offset)) clockOffset = Math.abs(offset) > SKEW_MS ? offset : 0;
}

/**
 * @param {Response} response
 * @returns {number | null} seconds
 */
function retryAfter(response) {
  const value = response.headers.get('Retry-After');
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - serverNow()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
}

/** @param {Response} response */
async function refusal(response) {
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
 */
async function call(path, init) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), PATIENCE_MS);
  const cancel = () => limit.abort();
  init.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const response = await fetch(path, { cache: 'no-store', ...init, signal: limit.signal });
    noteClock(response);
    if (!response.ok) throw await refusal(response);
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
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
export function post(path, body, signal) {
  const headers = { 'Content-Type': 'application/json' };
  return call(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

/**
 * @param {string} id
 * @param {string} token
 */
export function getUser(id, token) {
  const headers = { Authorization: `Bearer ${token}` };
  return call(`/users/${encodeURIComponent(id)}`, { headers });
}
