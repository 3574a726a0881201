/** The address that the service gives as its own, to find out why it refuses what this page sends. */
import { get } from './api.js';

/**
 * A credential names the address of the page that asked for it, and the service accepts only the
 * addresses in its setting ORIGIN. It publishes the first one (W3C Passkey Endpoints §2).
 * @returns {Promise<string | null>} that address; null if this page is open there, or if it is
 *   unknown
 */
export async function otherAddress() {
  try {
    const { enroll } = await get('/.well-known/passkey-endpoints');
    const { origin, protocol } = new URL(enroll);
    return /^https?:$/.test(protocol) && origin !== location.origin ? origin : null;
  } catch {
    return null;
  }
}
