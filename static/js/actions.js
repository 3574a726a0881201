/** What the buttons do: register, sign in, and show a message if that fails. */
import { enter } from './account.js';
import { ApiError } from './api.js';
import { exclusively, goToSignIn, offerAutofill } from './auth_view.js';
import { login, loginWithPicked, register } from './ceremonies.js';
import { rememberPasskey } from './device_memory.js';
import { explain, explainAddress, isNeutral, mayBlameAddress } from './error_messages.js';
import { showErrors, valuesOf } from './forms.js';
import { note, say, warn } from './messages.js';
import { otherAddress } from './service_address.js';
import { waysOn } from './ways_on.js';

/** @typedef {import('./ways_on.js').Attempt} Attempt */

/**
 * Shows an error: next to its fields if it is a 422, else as a message.
 * @param {unknown} error
 * @param {Attempt} attempt
 * @returns {Promise<void>}
 */
async function report(error, attempt) {
  const { doing, form } = attempt;
  if (error instanceof ApiError && error.status === 422 && showErrors(form, error.fields)) return;
  const address = mayBlameAddress(error, doing) ? await otherAddress() : null;
  if (address) {
    const run = () => location.assign(`${address}/#${doing}`);
    return warn(explainAddress(address), [{ label: 'Open it there', run }]);
  }
  const show = isNeutral(error) ? note : warn;
  show(explain(error, doing), waysOn(error, attempt));
}

/**
 * @param {Attempt} attempt
 * @param {boolean} anyway
 */
async function registerAndSignIn(attempt, anyway) {
  const person = valuesOf(attempt.form);
  try {
    await register(person, anyway);
  } catch (error) {
    return report(error, attempt);
  }
  rememberPasskey();
  try {
    await enter(await login(person.email), 'Your account is ready, and you’re signed in.');
  } catch (error) {
    goToSignIn(person.email);
    say(`Your account is ready. ${explain(error, 'login')}`);
  }
}

/**
 * Runs a login ceremony and opens the profile.
 * @param {HTMLFormElement} form where errors are shown
 * @param {() => Promise<import('./ceremonies.js').LoginAnswer>} ceremony
 */
async function enterBy(form, ceremony) {
  try {
    await enter(await ceremony(), 'You’re signed in.');
  } catch (error) {
    const button = form.querySelector('button');
    const again = () => {
      // The pressed button goes away with its message: the focus must not be lost with it.
      button?.focus({ preventScroll: true });
      void signIn(form, button, valuesOf(form).email);
    };
    await report(error, { doing: 'login', form, again });
  }
}

/**
 * Registers the person of the form, then signs in.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button the button that was pressed
 * @param {boolean} [anyway] open the prompt although this device seems unable to hold a passkey
 * @returns {Promise<void>}
 */
export async function signUp(form, button, anyway = false) {
  const retry = (/** @type {boolean} */ regardless) => () => {
    button?.focus({ preventScroll: true });
    void signUp(form, button, regardless);
  };
  /** @type {Attempt} */
  const attempt = { doing: 'register', form, again: retry(anyway), anyway: retry(true) };
  await exclusively(button, () => registerAndSignIn(attempt, anyway));
  offerAutofill();
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button the button that was pressed
 * @param {string} [email] if empty, the browser offers every passkey of this service
 * @returns {Promise<void>}
 */
export async function signIn(form, button, email) {
  await exclusively(button, () => enterBy(form, () => login(email)));
  offerAutofill();
}

/**
 * Signs in with a passkey that the person picked from the autofill list.
 *
 * After a failure autofill does not start again at once, but when the person focuses the email
 * field: with an authenticator that answers without the person it would run in an endless loop.
 * @param {HTMLFormElement} form
 * @param {import('./passkeys.js').CredentialJSON} assertion
 * @returns {Promise<void>}
 */
export async function signInWithPicked(form, assertion) {
  await exclusively(null, () => {
    note('Signing you in…');
    return enterBy(form, () => loginWithPicked(assertion));
  });
}
