/** The registration and the login ceremony: both calls of the service, and the prompt between. */
import { ApiError, post } from './api.js';
import { PasskeyError, createPasskey, deviceCanHold, usePasskey } from './passkeys.js';

/** @typedef {{access_token: string, user: {id: string}}} LoginAnswer of /login/complete */

/**
 * Without a passkey provider of the device the prompt would wait for its whole timeout. A password
 * manager may answer all the same, and not every one tells the browser of itself: hence `anyway`.
 * @param {PublicKeyCredentialCreationOptionsJSON} publicKey
 * @param {boolean} anyway
 * @returns {Promise<import('./passkeys.js').CredentialJSON>}
 */
async function create(publicKey, anyway) {
  const deviceOnly = publicKey.authenticatorSelection?.authenticatorAttachment === 'platform';
  if (deviceOnly && !anyway && !(await deviceCanHold())) throw new PasskeyError('no-lock', null);
  try {
    return await createPasskey(publicKey);
  } catch (error) {
    // On a device that cannot hold a passkey, some browsers report a closed prompt.
    const closed = error instanceof PasskeyError && error.kind === 'cancelled';
    if (deviceOnly && closed && !(await deviceCanHold())) throw new PasskeyError('no-lock', error);
    throw error;
  }
}

/**
 * Tells the browser to delete a passkey that the service refused, if the browser supports that.
 * Otherwise the browser would offer a passkey that never works. Only a 4xx answer proves the
 * refusal: if the answer was lost, the account may exist.
 * @param {unknown} error
 * @param {string | undefined} rpId
 * @param {string} credentialId
 */
async function deleteIfRefused(error, rpId, credentialId) {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  if (!refused || !rpId) return;
  try {
    await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId });
  } catch {
    // The passkey stays on the device. What the service refused is what the person must read.
  }
}

/**
 * @param {Record<string, string>} person the fields of the form
 * @param {boolean} anyway open the prompt although this device seems unable to hold a passkey
 * @returns {Promise<void>}
 * @throws {ApiError | PasskeyError}
 */
export async function register(person, anyway) {
  /** @type {{publicKey: PublicKeyCredentialCreationOptionsJSON}} */
  const { publicKey } = await post('/register/begin', person);
  const credential = await create(publicKey, anyway);
  try {
    await post('/register/complete', { email: person.email, credential });
  } catch (error) {
    await deleteIfRefused(error, publicKey.rp.id, credential.id);
    throw error;
  }
}

/**
 * @param {string} [email] without it, the browser offers every passkey of this service
 * @returns {Promise<LoginAnswer>}
 * @throws {ApiError | PasskeyError}
 */
export async function login(email) {
  const account = email ? { email } : {};
  /** @type {{publicKey: PublicKeyCredentialRequestOptionsJSON}} */
  const { publicKey } = await post('/login/begin', account);
  return post('/login/complete', { ...account, assertion: await usePasskey(publicKey) });
}

/**
 * Completes the login with a passkey that the person picked from the autofill list.
 * @param {import('./passkeys.js').CredentialJSON} assertion
 * @returns {Promise<LoginAnswer>}
 * @throws {ApiError}
 */
export function loginWithPicked(assertion) {
  return post('/login/complete', { assertion });
}
