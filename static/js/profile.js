/** The profile. All of it goes into text nodes: a name may contain anything. */
import { clockText, countDown } from './countdown.js';
import { byId } from './views.js';

const LANGUAGE = navigator.languages.find((tag) => tag.startsWith('en')) ?? 'en';
const TEXTS = ['first_name', 'last_name', 'job_title', 'role'];

let stopCountdown = () => {};

/** @param {string} name */
function place(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-field="${name}"]`));
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} [timeZone] a birthday is the same day everywhere, so it is shown in UTC
 */
function showDate(name, value, timeZone) {
  const target = place(name);
  const date = new Date(value);
  const format = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'long', timeZone });
  target.textContent = Number.isNaN(date.valueOf()) ? value : format.format(date);
  target.setAttribute('datetime', value);
}

/**
 * A long address breaks at its @ first.
 * @param {string} address
 */
function showEmail(address) {
  const parts = address.split(/(?=@)/).flatMap((part) => [part, document.createElement('wbr')]);
  place('email').replaceChildren(...parts);
}

/** @param {Record<string, string>} user */
function initials(user) {
  const first = (/** @type {string} */ text) => [...text.trim()][0] ?? '';
  return (first(user.first_name) + first(user.last_name)).toLocaleUpperCase();
}

/** @param {Record<string, string>} user */
export function showUser(user) {
  byId('profile-initials').textContent = initials(user);
  byId('profile-name').textContent = `${user.first_name} ${user.last_name}`;
  for (const name of TEXTS) place(name).textContent = user[name];
  showEmail(user.email);
  showDate('date_of_birth', user.date_of_birth, 'UTC');
  showDate('created_at', user.created_at);
}

/**
 * @param {{issued: number, expires: number}} session
 * @param {() => void} onEnd
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

/** Forgets the person: nothing of a profile stays in the page after it is closed. */
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
