/** The start of the page: connects the buttons and opens the first view. */
import { copyToken, logOut, openSession } from './account.js';
import { signIn, signInWithPicked, signUp } from './actions.js';
import { offerAutofill, openFirstTab, whenPicked } from './auth_view.js';
import { NO_LOCK_HERE } from './error_messages.js';
import { boundBirthDate, valuesOf, wireForm } from './forms.js';
import { warn } from './messages.js';
import { deviceCanHold, obstacle } from './passkeys.js';
import { byId, showView } from './views.js';

const UNSUPPORTED = {
  'too-old': 'This browser can’t use passkeys yet. Update it, or open this page in another one.',
  insecure: 'Passkeys need a secure address. Open this page over https, or at localhost.',
};

/** @param {HTMLFormElement} form */
function wireRegister(form) {
  boundBirthDate(/** @type {HTMLInputElement} */ (byId('register-date-of-birth')));
  wireForm(form, () => signUp(form, form.querySelector('button')));
}

/** @param {HTMLFormElement} form */
function wireLogin(form) {
  wireForm(form, () => signIn(form, form.querySelector('button'), valuesOf(form).email));
  whenPicked((assertion) => signInWithPicked(form, assertion));
  byId('login-email').addEventListener('focus', offerAutofill);
}

/** @param {'insecure' | 'too-old'} reason */
function showObstacle(reason) {
  byId('unsupported-reason').textContent = UNSUPPORTED[reason];
  const link = /** @type {HTMLAnchorElement} */ (byId('unsupported-link'));
  link.hidden = reason !== 'insecure';
  link.href = `https://${location.host}/`;
  showView('unsupported');
}

async function start() {
  const reason = obstacle();
  if (reason) {
    showObstacle(reason);
    return;
  }
  wireRegister(/** @type {HTMLFormElement} */ (byId('form-register')));
  wireLogin(/** @type {HTMLFormElement} */ (byId('form-login')));
  // A link to the other tab, such as the one in /.well-known/passkey-endpoints.
  window.addEventListener('hashchange', () => byId('tabs').hidden || openFirstTab());
  byId('button-copy').addEventListener('click', copyToken);
  byId('button-logout').addEventListener('click', logOut);
  await openSession();
  if (!byId('panel-register').hidden && !(await deviceCanHold())) warn(NO_LOCK_HERE);
}

// A passkey belongs to a domain, and an IP address is not a domain: the browser would refuse.
if (['127.0.0.1', '[::1]'].includes(location.hostname)) {
  location.replace(location.href.replace(location.hostname, 'localhost'));
} else {
  await start();
}
