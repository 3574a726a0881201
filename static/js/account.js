/** Being signed in: into the profile, and every way out of it. */
import { ApiError, getUser } from './api.js';
import { offerAutofill, openFirstTab, openTab } from './auth_view.js';
import { explain } from './error_messages.js';
import { say, warn } from './messages.js';
import { clearProfile, showUser, startCountdown } from './profile.js';
import { clearSession, isExpired, loadSession, saveSession } from './session.js';
import { byId, focusHeading, showView } from './views.js';

function leave() {
  clearSession();
  clearProfile();
  openTab('login');
}

function expire() {
  const watched = byId('view-profile').contains(document.activeElement);
  leave();
  if (watched) focusHeading();
  warn('Your session has expired. Sign in again to continue.');
}

export function logOut() {
  leave();
  focusHeading();
  say('You’re logged out.');
}

/**
 * @param {unknown} error
 * @returns {boolean} whether it says nothing about the token: nobody answered, or nobody could
 */
function saysNothing(error) {
  if (!(error instanceof ApiError)) return false;
  return error.kind !== 'problem' || error.status === 429 || error.status >= 500;
}

/**
 * Back to the login view. A token that was not judged is kept for another try.
 * @param {unknown} error
 * @param {{expires: number}} session
 */
function leaveBecause(error, session) {
  if (saysNothing(error)) {
    openTab('login');
    warn(explain(error, 'session'), { label: 'Reload', run: () => location.reload() });
  } else if (isExpired(session)) {
    expire();
  } else {
    leave();
    warn(explain(error, 'session'));
  }
}

/** Shows the profile that the stored token opens, or the way in and why it is needed. */
export async function openSession() {
  const session = loadSession();
  if (!session) return openFirstTab();
  try {
    showUser(await getUser(session.userId, session.token));
  } catch (error) {
    return leaveBecause(error, session);
  }
  showView('profile', 'Profile');
  offerAutofill();
  startCountdown(session, expire);
  for (const form of document.forms) form.reset();
}

/**
 * @param {import('./ceremonies.js').Grant} grant
 * @param {string} welcome
 */
export async function enter(grant, welcome) {
  saveSession(grant.access_token, grant.user.id);
  await openSession();
  if (byId('view-profile').hidden) return;
  focusHeading();
  say(welcome);
}

export async function copyToken() {
  try {
    await navigator.clipboard.writeText(loadSession()?.token ?? '');
    say('Token copied. Until it expires, treat it like a password.');
  } catch {
    warn('The browser didn’t allow copying. “For developers” says where the token is.');
  }
}
