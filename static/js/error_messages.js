/** The message for each error. */
import { ApiError } from './api.js';
import { PasskeyError } from './passkeys.js';

/** @typedef {'register' | 'login' | 'session'} Doing what the person was doing */

const AGAIN = 'Try again when you’re ready.';
const NO_LOCK = 'This device can’t keep a passkey yet.';
const KEY_ALONE = 'A security key alone is not enough here.';
const ADD_LOCK =
  'Turn on a screen lock (PIN, fingerprint or face), add a password manager that keeps passkeys, ' +
  'or register on your phone.';

/** The message on opening the page on a device that cannot keep a passkey. */
export const NO_LOCK_HERE = `${NO_LOCK} ${ADD_LOCK}`;

/**
 * @param {number | null} seconds
 * @returns {string} when to try again
 */
function wait(seconds) {
  if (seconds === null) return 'in a moment';
  const [count, unit] = seconds < 90 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return `in ${count} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * @param {ApiError} error
 * @param {Doing} doing
 * @returns {string}
 */
function explainAnswer(error, doing) {
  if (error.kind === 'network') {
    return 'We can’t reach the service. Check your connection and try again.';
  }
  if (error.kind === 'timeout') return 'The service is taking too long. Try again in a moment.';
  if (error.status === 429) return `Too many attempts. Try again ${wait(error.retryAfter)}.`;
  if (error.status === 503) {
    return `The service is briefly unavailable. Try again ${wait(error.retryAfter)}.`;
  }
  if (error.status >= 500) {
    const reference = error.requestId ? ` If it keeps happening, quote ${error.requestId}.` : '';
    return `Something went wrong on our side. Try again in a moment.${reference}`;
  }
  if (doing === 'session') return 'Your session is no longer valid. Sign in again to continue.';
  if (error.status === 409) {
    return 'We can’t register this email. If you already have an account, sign in instead.';
  }
  if (error.status === 400 && doing === 'register') {
    return 'Your passkey couldn’t be confirmed, so no account was made. Please try again.';
  }
  if (error.status === 401) {
    return 'We couldn’t sign you in with that passkey. Try again, or use another passkey.';
  }
  return 'The service didn’t accept this. Check what you entered and try again.';
}

/**
 * @param {PasskeyError} error
 * @param {Doing} doing
 * @returns {string}
 */
function explainPrompt(error, doing) {
  switch (error.kind) {
    case 'cancelled':
      return doing === 'register'
        ? `The prompt closed before a passkey was made, so nothing was saved. ${AGAIN}`
        : 'Sign-in was cancelled, or there’s no matching passkey here. Try again, or use one from another device.';
    case 'timed-out':
      return `The prompt waited too long for an answer. ${AGAIN}`;
    case 'exists':
      return 'This device already has a passkey for this account. Sign in with it instead.';
    case 'wrong-host':
      return `Passkeys for this service don’t work at ${location.host}. Use its own address.`;
    case 'no-lock':
      return `${NO_LOCK} ${KEY_ALONE} ${ADD_LOCK}`;
    default:
      return 'Your browser couldn’t finish this. Try again, or use another browser.';
  }
}

/**
 * @param {unknown} error
 * @param {Doing} doing
 * @returns {string} the message; an error of an unknown kind also goes to the console
 */
export function explain(error, doing) {
  if (error instanceof ApiError) return explainAnswer(error, doing);
  if (error instanceof PasskeyError) return explainPrompt(error, doing);
  console.error(error);
  return 'Something went wrong on this page. Reload it and try again.';
}

/**
 * @param {unknown} error
 * @returns {boolean} whether it is no bad news: the person closed the prompt, or let it wait
 */
export function isNeutral(error) {
  return error instanceof PasskeyError && ['cancelled', 'timed-out'].includes(error.kind);
}

/**
 * @param {unknown} error
 * @param {Doing} doing
 * @returns {boolean} whether the address at which the page is open may be the cause
 */
export function mayBlameAddress(error, doing) {
  if (error instanceof PasskeyError) return error.kind === 'wrong-host';
  return error instanceof ApiError && error.status === (doing === 'register' ? 400 : 401);
}

/**
 * @param {string} address of the service
 * @returns {string} the message if the page is open at another address
 */
export function explainAddress(address) {
  return (
    `This page is open at ${location.origin}, but the service’s address is ${address}, and it may ` +
    `accept passkeys only there. If you run the service, add ${location.origin} to ORIGIN.`
  );
}

/**
 * @param {unknown} error
 * @returns {boolean} whether the person most likely has an account and should sign in
 */
export function meansAccountExists(error) {
  if (error instanceof PasskeyError) return error.kind === 'exists';
  return error instanceof ApiError && error.status === 409;
}
