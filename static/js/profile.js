/** The profile view. All values become text nodes, because a name may contain HTML. */
import { serverNow } from './api.js';
import { clockText, countDown } from './countdown.js';
import { byId } from './views.js';

/**
 * @typedef {{first_name: string, last_name: string, email: string, job_title: string, role: string,
 *   date_of_birth: string, created_at: string}} User dates in ISO 8601
 */

const LANGUAGE = navigator.languages.find((tag) => tag.startsWith('en')) ?? 'en';
const TEXTS = /** @type {const} */ (['first_name', 'last_name', 'job_title', 'role']);

let stopCountdown = () => {};

/** @param {string} name of the field */
function output(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-field="${name}"]`));
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} [timeZone] UTC for a date of birth, which must be the same day in all time zones
 */
function showDate(name, value, timeZone) {
  const target = output(name);
  const date = new Date(value);
  const format = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'long', timeZone });
  target.textContent = Number.isNaN(date.valueOf()) ? value : format.format(date);
  target.setAttribute('datetime', value);
}

/**
 * Shows the address so that a long one is wrapped before its @.
 * @param {string} address
 */
function showEmail(address) {
  const parts = address.split(/(?=@)/).flatMap((part) => [part, document.createElement('wbr')]);
  output('email').replaceChildren(...parts);
}

/** @param {User} user */
function initials(user) {
  const first = (/** @type {string} */ text) => [...text.trim()][0] ?? '';
  return (first(user.first_name) + first(user.last_name)).toLocaleUpperCase();
}

/** @param {User} user */
export function showUser(user) {
  byId('profile-initials').textContent = initials(user);
  byId('profile-name').textContent = `${user.first_name} ${user.last_name}`;
  for (const name of TEXTS) output(name).textContent = user[name];
  showEmail(user.email);
  showDate('date_of_birth', user.date_of_birth, 'UTC');
  showDate('created_at', user.created_at);
}

/**
 * Shows when the passkey was used, such as "today at 2:03 PM".
 * @param {import('./session.js').Session} session
 */
export function showSignIn({ signedIn }) {
  const when = new Date(signedIn);
  const time = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: 'short' }).format(when);
  const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium' });
  const today = day.format(when) === day.format(new Date(serverNow()));
  const target = byId('profile-signed-in');
  target.textContent = `${today ? 'today' : day.format(when)} at ${time}`;
  target.setAttribute('datetime', when.toISOString());
}

/**
 * @param {import('./session.js').Session} session
 * @param {() => void} onEnd called when the token has expired
 */
export function startCountdown(session, onEnd) {
  const bar = /** @type {HTMLProgressElement} */ (byId('countdown-bar'));
  const life = Math.max(1, session.expires - session.issued);
  stopCountdown();
  stopCountdown = countDown(
    session.expires,
    (left) => {
      byId('countdown').textContent = clockText(left);
      bar.value = Math.min(1, left / life);
    },
    onEnd,
  );
}

/** Stops the countdown and removes all personal data from the page. */
export function clearProfile() {
  stopCountdown();
  showUser({
    first_name: '',
    last_name: '',
    email: '',
    job_title: '',
    role: '',
    date_of_birth: '',
    created_at: '',
  });
}
