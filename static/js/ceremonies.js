/** The two ceremonies, from the first call to the last. */
import { ApiError, post } from './api.js';
import { PasskeyError, createPasskey, deviceCanHold, usePasskey } from './passkeys.js';

/** @typedef {{access_token: string, user: {id: string}}} Grant */

/** @param {PublicKeyCredentialCreationOptionsJSON} publicKey */
async function create(publicKey) {
  try {
    return await createPasskey(publicKey);
  } catch (error) {
    // Where nothing can hold a passkey, some browsers end the prompt as if it had been closed.
    const closed = error instanceof PasskeyError && error.kind === 'cancelled';
    if (closed && !(await deviceCanHold())) throw new PasskeyError('no-lock', error);
    throw error;
  }
}

/**
 * A passkey the service refused would be offered for ever and never work; browsers that can are
 * told to drop it. Only an answer proves it: after a lost one the account may well exist.
 * @param {unknown} error
 * @param {string | undefined} rpId
 * @param {string} credentialId
 */
async function dropRefused(error, rpId, credentialId) {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  if (!refused || !rpId) return;
  await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}

/** @param {Record<string, string>} person the fields of the form */
export async function register(person) {
  const { publicKey } = await post('/register/begin', person);
  const credential = await create(publicKey);
  try {
    await post('/register/complete', { email: person.email, credential });
  } catch (error) {
    await dropRefused(error, publicKey.rp.id, /** @type {{id: string}} */ (credential).id);
    throw error;
  }
}

/**
 * @param {string} [email] without one, any passkey the device has for this service will do
 * @returns {Promise<Grant>}
 */
export async function login(email) {
  const who = email ? { email } : {};
  const { publicKey } = await post('/login/begin', who);
  return post('/login/complete', { ...who, assertion: await usePasskey(publicKey) });
}

/**
 * Finishes the sign-in of a passkey picked from the autofill list.
 * @param {object} assertion
 * @returns {Promise<Grant>}
 */
export function loginWithPicked(assertion) {
  return post('/login/complete', { assertion });
}
