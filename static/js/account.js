/** The signed-in state: opening the profile, and every way of leaving it. */
import { ApiError, getUser } from './api.js';
import { offerAutofill, openFirstTab, openTab } from './auth_view.js';
import { rememberPasskey } from './device_memory.js';
import { explain } from './error_messages.js';
import { say, warn } from './messages.js';
import { clearProfile, showSignIn, showUser, startCountdown } from './profile.js';
import { clearSession, isExpired, loadSession, saveSession } from './session.js';
import { byId, focusHeading, showView } from './views.js';

function leave() {
  clearSession();
  clearProfile();
  openTab('login');
}

function expire() {
  const focusInProfile = document.activeElement?.closest('[data-view="profile"]');
  leave();
  if (focusInProfile) focusHeading();
  warn('Your session has expired. Sign in again to continue.');
}

/** Deletes the token from this tab and shows the view to sign in. */
export function logOut() {
  leave();
  focusHeading();
  say('You’re signed out.');
}

/**
 * @param {unknown} error
 * @returns {boolean} whether the service did not check the token: no answer, 429 or 5xx
 */
function tokenWasNotChecked(error) {
  if (!(error instanceof ApiError)) return false;
  return error.kind !== 'problem' || error.status === 429 || error.status >= 500;
}

/**
 * Shows the view to sign in and says why. A token that the service did not check stays stored, so that
 * a reload can try it again.
 * @param {unknown} error
 * @param {import('./session.js').Session} session
 */
function leaveBecause(error, session) {
  if (tokenWasNotChecked(error)) {
    openTab('login');
    warn(explain(error, 'session'), [{ label: 'Reload', run: () => location.reload() }]);
  } else if (isExpired(session)) {
    expire();
  } else {
    leave();
    warn(explain(error, 'session'));
  }
}

/**
 * Shows the profile of the stored token's user. Without a token, or with one that does not work,
 * shows the view to register or sign in.
 * @returns {Promise<void>}
 */
export async function openSession() {
  const session = loadSession();
  if (!session) return openFirstTab();
  try {
    showUser(await getUser(session.userId, session.token));
  } catch (error) {
    return leaveBecause(error, session);
  }
  showSignIn(session);
  showView('profile');
  history.replaceState(null, '', location.pathname);
  offerAutofill();
  startCountdown(session, expire);
  for (const form of document.forms) form.reset();
}

/**
 * Stores the token of a completed login and opens the profile.
 * @param {import('./ceremonies.js').LoginAnswer} answer
 * @param {string} welcome the message to show in the profile
 * @returns {Promise<void>}
 */
export async function enter(answer, welcome) {
  saveSession(answer.access_token, answer.user.id);
  await openSession();
  if (byId('view-profile').hidden) return;
  rememberPasskey();
  focusHeading();
  say(welcome);
}

/** @returns {Promise<void>} */
export async function copyToken() {
  try {
    await navigator.clipboard.writeText(loadSession()?.token ?? '');
    say('Token copied. Until it expires, treat it like a password.');
  } catch {
    const run = () => {
      const place = /** @type {HTMLDetailsElement} */ (byId('developers'));
      place.open = true;
      place.querySelector('summary')?.focus();
    };
    const text = 'The browser didn’t allow copying. “For developers” says where the token is.';
    warn(text, [{ label: 'Show it', run }]);
  }
}
