/** The views under the tabs Register and Sign in. They run one ceremony at a time. */
import { startAutofill, stopAutofill } from './autofill.js';
import { hasUsedPasskey } from './device_memory.js';
import { quiet } from './messages.js';
import { makeTabs } from './tabs.js';
import { byId, showBusy, showView } from './views.js';

const selectTab = makeTabs(byId('tabs'), (name) => openTab(name === 'login' ? name : 'register'));

/** Whether a ceremony runs. Until it ends, pressing a button does nothing. */
let busy = false;

/** @type {(assertion: import('./passkeys.js').CredentialJSON) => void} */
let onPicked = () => {};

/**
 * @param {(assertion: import('./passkeys.js').CredentialJSON) => void} handler called when the
 *   person picks a passkey from the autofill list
 */
export function whenPicked(handler) {
  onPicked = handler;
}

/** Starts autofill if the email field is visible and no ceremony runs; else stops it. */
export function offerAutofill() {
  if (!byId('panel-login').hidden && !busy) startAutofill(onPicked);
  else void stopAutofill();
}

/** @returns {'register' | 'login'} the tab that fits what this device did last */
function usualTab() {
  return hasUsedPasskey() ? 'login' : 'register';
}

/** @param {'register' | 'login'} name */
export function openTab(name) {
  quiet();
  selectTab(name);
  showView(name);
  history.replaceState(null, '', name === usualTab() ? location.pathname : `#${name}`);
  offerAutofill();
}

/** Opens the tab that the address names, else the usual one. */
export function openFirstTab() {
  if (location.hash === '#login') openTab('login');
  else if (location.hash === '#register') openTab('register');
  else openTab(usualTab());
}

/** @param {string} email to fill in */
export function goToSignIn(email) {
  openTab('login');
  const input = /** @type {HTMLInputElement} */ (byId('login-email'));
  input.value = email;
  input.focus();
}

/**
 * Runs a ceremony, unless another one runs. Autofill is stopped before: a browser has at most one
 * WebAuthn request.
 * @param {HTMLElement | null} button the button that was pressed
 * @param {() => Promise<void>} ceremony
 * @returns {Promise<void>}
 */
export async function exclusively(button, ceremony) {
  if (busy) return;
  busy = true;
  quiet();
  const undo = showBusy(button, 'Waiting for your passkey…');
  try {
    await stopAutofill();
    await ceremony();
  } finally {
    busy = false;
    undo();
  }
}
