/** The door: two tabs, and one ceremony at a time behind them. */
import { startAutofill, stopAutofill } from './autofill.js';
import { quiet } from './messages.js';
import { makeTabs } from './tabs.js';
import { byId, showBusy, showView } from './views.js';

const selectTab = makeTabs(byId('view-auth'), openTab);

/** A second press while a prompt is open does nothing. */
let busy = false;

/** @type {(assertion: object) => void} */
let onPicked = () => {};

/** @param {(assertion: object) => void} handler what to do with a passkey picked by autofill */
export function whenPicked(handler) {
  onPicked = handler;
}

/** Offers passkeys in the email field exactly while it can be seen and no prompt is open. */
export function offerAutofill() {
  const seen = !byId('view-auth').hidden && !byId('panel-login').hidden;
  if (seen && !busy) startAutofill(onPicked);
  else void stopAutofill();
}

/** @param {string} name */
export function openTab(name) {
  quiet();
  selectTab(name);
  showView('auth', name === 'login' ? 'Login' : 'Register');
  history.replaceState(null, '', name === 'login' ? '#login' : location.pathname);
  offerAutofill();
}

/** The tab that the address asks for. */
export function openFirstTab() {
  openTab(location.hash === '#login' ? 'login' : 'register');
}

/** @param {string} email */
export function goToLogin(email) {
  openTab('login');
  const input = /** @type {HTMLInputElement} */ (byId('login-email'));
  input.value = email;
  input.focus();
}

/**
 * Runs a ceremony alone: without another one, and without the request of the autofill list.
 * @param {HTMLElement | null} button the one that was pressed
 * @param {() => Promise<void>} ceremony
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
