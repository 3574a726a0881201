/** The calls of the browser's WebAuthn API. */
import { readCreationOptions, readRequestOptions, writeCredential } from './webauthn_json.js';

/** A prompt that ends within this time before its timeout counts as timed out. */
const TIMEOUT_SLACK_MS = 750;

/**
 * @typedef {'cancelled' | 'timed-out' | 'exists' | 'wrong-host' | 'no-lock' | 'failed'} PromptEnd
 */
/** @typedef {import('./webauthn_json.js').CredentialJSON} CredentialJSON */

/** A prompt ended without a credential. */
export class PasskeyError extends Error {
  /**
   * @param {PromptEnd} kind
   * @param {unknown} cause
   */
  constructor(kind, cause) {
    super(kind, { cause });
    this.kind = kind;
  }
}

/**
 * Why passkeys cannot work in this browser; null if they can.
 * @returns {'insecure' | 'too-old' | null}
 */
export function obstacle() {
  if (!window.isSecureContext) return 'insecure';
  return typeof window.PublicKeyCredential === 'function' ? null : 'too-old';
}

/** @returns {Promise<boolean>} whether this device can hold a passkey; true if unknown */
export function deviceCanHold() {
  const ask = PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable;
  return ask ? ask.call(PublicKeyCredential).catch(() => true) : Promise.resolve(true);
}

/** @returns {Promise<boolean>} whether the browser can offer passkeys in an autofill list */
export function autofillAvailable() {
  const ask = PublicKeyCredential.isConditionalMediationAvailable;
  return ask ? ask.call(PublicKeyCredential).catch(() => false) : Promise.resolve(false);
}

/**
 * NotAllowedError has no details: browsers do not say whether the person closed the prompt or the
 * prompt timed out. Only the elapsed time tells the two apart.
 * @param {unknown} error
 * @param {number} elapsed milliseconds since the prompt opened
 * @param {number} limit the timeout of the prompt in milliseconds
 * @returns {PromptEnd}
 */
function kindOf(error, elapsed, limit) {
  switch (error instanceof DOMException ? error.name : '') {
    case 'AbortError':
      return 'cancelled';
    case 'NotAllowedError':
      return elapsed >= limit - TIMEOUT_SLACK_MS ? 'timed-out' : 'cancelled';
    case 'TimeoutError':
      return 'timed-out';
    case 'InvalidStateError':
      return 'exists';
    case 'SecurityError':
      return 'wrong-host';
    case 'ConstraintError':
    case 'NotSupportedError':
      return 'no-lock';
    default:
      return 'failed';
  }
}

/**
 * @param {'create' | 'get'} kind of ceremony
 * @param {number | undefined} timeout milliseconds
 * @param {() => Promise<Credential | null>} prompt
 * @returns {Promise<CredentialJSON>}
 * @throws {PasskeyError}
 */
async function run(kind, timeout, prompt) {
  const started = performance.now();
  try {
    return writeCredential(await prompt(), kind);
  } catch (error) {
    throw new PasskeyError(kindOf(error, performance.now() - started, timeout ?? Infinity), error);
  }
}

/**
 * Creates a passkey.
 * @param {PublicKeyCredentialCreationOptionsJSON} options
 * @returns {Promise<CredentialJSON>}
 * @throws {PasskeyError}
 */
export function createPasskey(options) {
  return run('create', options.timeout, () => {
    const publicKey = readCreationOptions(options);
    return navigator.credentials.create({ publicKey });
  });
}

/**
 * Signs with a passkey. With `autofill` the browser lists the passkeys in the autofill list of the
 * email field, and waits without a timeout until the person picks one or the signal aborts.
 * @param {PublicKeyCredentialRequestOptionsJSON} options
 * @param {{autofill?: boolean, signal?: AbortSignal}} [how]
 * @returns {Promise<CredentialJSON>}
 * @throws {PasskeyError}
 */
export function usePasskey(options, { autofill = false, signal } = {}) {
  return run('get', options.timeout, () => {
    const publicKey = readRequestOptions(options);
    const mediation = autofill ? 'conditional' : 'optional';
    return navigator.credentials.get({ publicKey, mediation, signal });
  });
}
