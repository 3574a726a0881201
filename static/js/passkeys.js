/** The browser's side of WebAuthn. JSON in, JSON out: the browser itself does all base64url. */

/** A prompt that ends this close to its limit ran out of time; one that ends earlier was closed. */
const TIMEOUT_SLACK_MS = 750;

/** @typedef {'cancelled' | 'timed-out' | 'exists' | 'wrong-host' | 'no-lock' | 'failed'} PromptEnd */

/** A prompt that made no passkey, or used none. */
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
 * Why passkeys cannot work here at all, or null where they can.
 * @returns {'insecure' | 'too-old' | null}
 */
export function obstacle() {
  if (!window.isSecureContext) return 'insecure';
  const api = window.PublicKeyCredential;
  const complete =
    typeof api?.parseCreationOptionsFromJSON === 'function' &&
    typeof api.parseRequestOptionsFromJSON === 'function' &&
    typeof api.prototype.toJSON === 'function';
  return complete ? null : 'too-old';
}

/** @returns {Promise<boolean>} whether this device itself can hold a passkey; true where unknown */
export function deviceCanHold() {
  const ask = PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable;
  return ask ? ask.call(PublicKeyCredential).catch(() => true) : Promise.resolve(true);
}

/** @returns {Promise<boolean>} whether passkeys can be offered in a field's autofill list */
export function autofillAvailable() {
  const ask = PublicKeyCredential.isConditionalMediationAvailable;
  return ask ? ask.call(PublicKeyCredential).catch(() => false) : Promise.resolve(false);
}

/**
 * NotAllowedError says nothing but "no": browsers hide on purpose whether the prompt was closed
 * or ran out. Only the clock can tell.
 * @param {unknown} error
 * @param {number} elapsed
 * @param {number} limit
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
 * @param {number | undefined} timeout
 * @param {() => Promise<Credential | null>} prompt
 * @returns {Promise<object>}
 */
async function run(timeout, prompt) {
  const started = performance.now();
  try {
    const credential = /** @type {PublicKeyCredential} */ (await prompt());
    return credential.toJSON();
  } catch (error) {
    throw new PasskeyError(kindOf(error, performance.now() - started, timeout ?? Infinity), error);
  }
}

/**
 * Makes a passkey.
 * @param {PublicKeyCredentialCreationOptionsJSON} options
 */
export function createPasskey(options) {
  return run(options.timeout, () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  });
}

/**
 * Uses a passkey. With `autofill` the browser lists passkeys in the email field and waits,
 * however long, until one is picked or the signal ends it.
 * @param {PublicKeyCredentialRequestOptionsJSON} options
 * @param {{autofill?: boolean, signal?: AbortSignal}} [how]
 */
export function usePasskey(options, { autofill = false, signal } = {}) {
  return run(options.timeout, () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const mediation = autofill ? 'conditional' : 'optional';
    return navigator.credentials.get({ publicKey, mediation, signal });
  });
}
