/**
 * Passkeys in the autofill list of the email field ("conditional mediation").
 *
 * A page can have one WebAuthn request at a time. So the request that waits here must be stopped,
 * and must have ended, before a ceremony opens a prompt.
 */
import { post } from './api.js';
import { autofillAvailable, usePasskey } from './passkeys.js';

/** A challenge is valid for five minutes; this leaves one minute to answer the prompt. */
const RENEW_MS = 4 * 60_000;
/** Some password managers that replace the browser's prompt ignore an abort. */
const ABORT_TIMEOUT_MS = 1_000;

/** @type {{controller: AbortController, done: Promise<void>} | null} */
let current = null;

/**
 * Resolves when the tab is visible, or when the signal aborts. A hidden tab must not ask the
 * service for challenges.
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function visible(signal) {
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', check);
      signal.removeEventListener('abort', check);
      resolve();
    };
    document.addEventListener('visibilitychange', check);
    signal.addEventListener('abort', check);
    check();
  });
}

/**
 * Gets one challenge, and waits until the person picks a passkey or the challenge is too old.
 * @param {AbortSignal} signal
 * @returns {Promise<import('./passkeys.js').CredentialJSON | null>} the assertion, or null if a new
 *   challenge is needed
 */
async function round(signal) {
  const { publicKey } = await post('/login/begin', {}, signal);
  const begun = Date.now();
  const stale = new AbortController();
  const end = () => stale.abort();
  // Timers do not run while a laptop sleeps, so the age is also checked when it wakes up.
  const wake = () => Date.now() - begun >= RENEW_MS && end();
  const timer = setTimeout(end, RENEW_MS);
  signal.addEventListener('abort', end, { once: true });
  document.addEventListener('visibilitychange', wake);
  window.addEventListener('focus', wake);
  try {
    if (signal.aborted) return null;
    return await usePasskey(publicKey, { autofill: true, signal: stale.signal });
  } catch (error) {
    if (stale.signal.aborted) return null;
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    document.removeEventListener('visibilitychange', wake);
    window.removeEventListener('focus', wake);
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<import('./passkeys.js').CredentialJSON | null>} null if aborted or unsupported
 */
async function offer(signal) {
  if (!(await autofillAvailable())) return null;
  let assertion = null;
  while (!assertion && !signal.aborted) {
    await visible(signal);
    if (!signal.aborted) assertion = await round(signal);
  }
  return assertion;
}

/**
 * Starts autofill, unless it runs already. A failure shows no message: the person did not ask for
 * autofill, and the buttons still work.
 * @param {(assertion: import('./passkeys.js').CredentialJSON) => void} onPicked
 */
export function startAutofill(onPicked) {
  if (current) return;
  const controller = new AbortController();
  const done = offer(controller.signal)
    .catch(() => null)
    .then((assertion) => {
      if (current?.controller === controller) current = null;
      if (assertion && !controller.signal.aborted) onPicked(assertion);
    });
  current = { controller, done };
}

/**
 * Stops autofill.
 * @returns {Promise<void>} resolves when the browser has ended the request, or ignores the abort
 */
export async function stopAutofill() {
  const stopped = current;
  current = null;
  stopped?.controller.abort();
  const timeout = new Promise((resolve) => setTimeout(resolve, ABORT_TIMEOUT_MS));
  await Promise.race([stopped?.done, timeout]);
}
