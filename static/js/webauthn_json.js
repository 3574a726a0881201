/**
 * The JSON forms of WebAuthn (Level 3 §5.1): read and written by the browser where it can, else by
 * hand.
 *
 * Browsers before Safari 18.4 have no such functions. Extensions of password managers answer with
 * objects of their own, for which the browser's `toJSON` throws "Illegal invocation", as do all
 * getters and methods that they inherit from the browser's prototypes.
 */

/** @typedef {RegistrationResponseJSON | AuthenticationResponseJSON} CredentialJSON */

const BASE64URL = /^[\w-]+$/;
const REQUIRED = {
  create: ['clientDataJSON', 'attestationObject'],
  get: ['clientDataJSON', 'authenticatorData', 'signature'],
};

/**
 * @param {string} text base64url
 * @returns {ArrayBuffer}
 */
function bytesOf(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer;
}

/** @param {string} text base64 or base64url */
function urlSafe(text) {
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * @param {any} value a buffer, a view of one, an array of bytes, or base64 text
 * @returns {string | undefined} base64url; undefined for anything else, and for no bytes
 */
function textOf(value) {
  if (typeof value === 'string') return urlSafe(value) || undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return urlSafe(btoa(binary)) || undefined;
}

/**
 * @template T
 * @param {() => T} read
 * @returns {T | undefined} undefined if reading throws
 */
function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** @param {PublicKeyCredentialDescriptorJSON[]} [list] */
function descriptors(list = []) {
  return list.map((each) => ({ ...each, id: bytesOf(each.id) }));
}

/**
 * @param {PublicKeyCredentialCreationOptionsJSON} json
 * @returns {PublicKeyCredentialCreationOptions}
 */
export function readCreationOptions(json) {
  return (
    attempt(() => PublicKeyCredential.parseCreationOptionsFromJSON(json)) ??
    /** @type {any} */ ({
      ...json,
      challenge: bytesOf(json.challenge),
      user: { ...json.user, id: bytesOf(json.user.id) },
      excludeCredentials: descriptors(json.excludeCredentials),
    })
  );
}

/**
 * @param {PublicKeyCredentialRequestOptionsJSON} json
 * @returns {PublicKeyCredentialRequestOptions}
 */
export function readRequestOptions(json) {
  return (
    attempt(() => PublicKeyCredential.parseRequestOptionsFromJSON(json)) ??
    /** @type {any} */ ({
      ...json,
      challenge: bytesOf(json.challenge),
      allowCredentials: descriptors(json.allowCredentials),
    })
  );
}

/**
 * @param {any} json what `toJSON` returned
 * @param {'create' | 'get'} kind of ceremony
 * @returns {boolean} whether the service can read it
 */
function isComplete(json, kind) {
  const { userHandle } = json.response;
  const values = [json.id, ...REQUIRED[kind].map((name) => json.response[name])];
  if (userHandle !== undefined && userHandle !== null) values.push(userHandle);
  const readable = values.every((value) => typeof value === 'string' && BASE64URL.test(value));
  return readable && json.rawId === json.id && json.type === 'public-key';
}

/**
 * @param {any} credential
 * @param {'create' | 'get'} kind of ceremony
 * @returns {any}
 */
function writeByHand(credential, kind) {
  const id = textOf(attempt(() => credential.rawId)) ?? textOf(attempt(() => credential.id));
  const source = attempt(() => credential.response);
  /** @type {Record<string, unknown>} */
  const response = {};
  for (const name of [...REQUIRED[kind], 'userHandle']) {
    response[name] = attempt(() => textOf(source[name]));
  }
  if (kind === 'create') {
    const transports = attempt(() => source.getTransports()) ?? attempt(() => source.transports);
    response.transports = Array.isArray(transports) ? transports : [];
  }
  const { credProps } = attempt(() => credential.getClientExtensionResults()) ?? {};
  return {
    id,
    rawId: id,
    type: 'public-key',
    authenticatorAttachment: attempt(() => credential.authenticatorAttachment),
    clientExtensionResults: credProps ? { credProps } : {},
    response,
  };
}

/**
 * Writes a new passkey or an assertion as JSON.
 * @param {any} credential a PublicKeyCredential, or an object that stands for one
 * @param {'create' | 'get'} kind of ceremony
 * @returns {CredentialJSON}
 * @throws {TypeError} if a part is missing
 */
export function writeCredential(credential, kind) {
  const native = attempt(() => credential.toJSON());
  if (attempt(() => isComplete(native, kind))) return native;
  const json = writeByHand(credential, kind);
  if (!isComplete(json, kind)) throw new TypeError('The credential is not complete');
  return json;
}
