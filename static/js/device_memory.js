/** What this browser remembers between visits: whether a passkey was used in it. Nothing personal. */

const KEY = 'passkey_used';

/** Browsers throw where a person has forbidden storage. Then nothing is remembered. */
export function rememberPasskey() {
  try {
    localStorage.setItem(KEY, 'yes');
  } catch {
    // The page opens with the tab Register next time.
  }
}

/** @returns {boolean} whether somebody has signed in with this browser */
export function hasUsedPasskey() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
