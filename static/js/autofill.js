/**
 * Passkeys in the email field's autofill list. A page may have one WebAuthn request at a time,
 * so the one that waits here has to be stopped, and be seen to have stopped, before a prompt opens.
 */
import { post } from './api.js';
import { autofillAvailable, usePasskey } from './passkeys.js';

/** Challenges live five minutes; a minute is left for the person to answer the prompt. */
const RENEW_MS = 4 * 60_000;
/** Password managers that stand in for the browser are known to overlook an abort. */
const LET_GO_MS = 1_000;

/** @type {{controller: AbortController, done: Promise<void>} | null} */
let waiting = null;

/**
 * An open but unwatched tab asks the service for nothing.
 * @param {AbortSignal} signal
 */
function visible(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve(undefined);
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}

/**
 * Waits on one challenge until a passkey is picked or the challenge has grown old.
 * @param {AbortSignal} signal
 * @returns {Promise<object | null>} the assertion, or null when it is time for a new challenge
 */
async function round(signal) {
  const { publicKey } = await post('/login/begin', {}, signal);
  const begun = Date.now();
  const stale = new AbortController();
  const end = () => stale.abort();
  // Timers stand still while a laptop sleeps, so the wall clock is looked at on waking, too.
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
 * @returns {Promise<object | null>}
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
 * Starts offering passkeys, unless they are being offered already. A failure is silent: nobody
 * asked for this, and the buttons still work.
 * @param {(assertion: object) => void} onPicked
 */
export function startAutofill(onPicked) {
  if (waiting) return;
  const controller = new AbortController();
  const done = offer(controller.signal)
    .catch(() => null)
    .then((assertion) => {
      if (waiting?.controller === controller) waiting = null;
      if (assertion && !controller.signal.aborted) onPicked(assertion);
    });
  waiting = { controller, done };
}

/** Stops offering passkeys, and resolves once the browser has let go of the request. */
export async function stopAutofill() {
  const current = waiting;
  waiting = null;
  current?.controller.abort();
  const overlooked = new Promise((resolve) => setTimeout(resolve, LET_GO_MS));
  await Promise.race([current?.done, overlooked]);
}
