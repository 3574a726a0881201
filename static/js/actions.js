/** What the buttons do: register, sign in, and show a message if that fails. */
import { enter } from './account.js';
import { ApiError } from './api.js';
import { exclusively, goToLogin, offerAutofill } from './auth_view.js';
import { login, loginWithPicked, register } from './ceremonies.js';
import { explain, meansAccountExists } from './error_messages.js';
import { showErrors, valuesOf } from './forms.js';
import { say, warn } from './messages.js';

/**
 * Shows an error: next to its fields if it is a 422, else as a message.
 * @param {unknown} error
 * @param {'register' | 'login'} doing
 * @param {HTMLFormElement} form
 */
function report(error, doing, form) {
  if (error instanceof ApiError && error.status === 422 && showErrors(form, error.fields)) return;
  const action = { label: 'Go to login', run: () => goToLogin(valuesOf(form).email) };
  warn(explain(error, doing), meansAccountExists(error) ? action : undefined);
}

/** @param {HTMLFormElement} form */
async function registerAndSignIn(form) {
  const person = valuesOf(form);
  try {
    await register(person);
  } catch (error) {
    return report(error, 'register', form);
  }
  try {
    await enter(await login(person.email), 'Your account is ready, and you’re signed in.');
  } catch (error) {
    goToLogin(person.email);
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
    report(error, 'login', form);
  }
}

/**
 * Registers the person of the form, then signs in.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button the button that was pressed
 * @returns {Promise<void>}
 */
export async function signUp(form, button) {
  await exclusively(button, () => registerAndSignIn(form));
  offerAutofill();
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button the button that was pressed
 * @param {string} [email] without it, the browser offers every passkey of this service
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
    say('Signing you in…');
    return enterBy(form, () => loginWithPicked(assertion));
  });
}
