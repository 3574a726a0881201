/** The view with the tabs Register and Login. It runs one ceremony at a time. */
import { startAutofill, stopAutofill } from './autofill.js';
import { quiet } from './messages.js';
import { makeTabs } from './tabs.js';
import { byId, showBusy, showView } from './views.js';

const selectTab = makeTabs(byId('view-auth'), openTab);

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
  const visible = !byId('view-auth').hidden && !byId('panel-login').hidden;
  if (visible && !busy) startAutofill(onPicked);
  else void stopAutofill();
}

/** @param {string} name `register` or `login` */
export function openTab(name) {
  quiet();
  selectTab(name);
  showView('auth', name === 'login' ? 'Login' : 'Register');
  history.replaceState(null, '', name === 'login' ? '#login' : location.pathname);
  offerAutofill();
}

/** Opens the tab that the address names. */
export function openFirstTab() {
  openTab(location.hash === '#login' ? 'login' : 'register');
}

/** @param {string} email to fill in */
export function goToLogin(email) {
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
