/** What a press of a button starts, and what is said when it did not end well. */
import { enter } from './account.js';
import { ApiError } from './api.js';
import { exclusively, goToLogin, offerAutofill } from './auth_view.js';
import { login, loginWithPicked, register } from './ceremonies.js';
import { explain, meansAccountExists } from './error_messages.js';
import { showErrors, valuesOf } from './forms.js';
import { say, warn } from './messages.js';

/**
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
 * @param {HTMLFormElement} form
 * @param {() => Promise<import('./ceremonies.js').Grant>} ceremony
 */
async function enterBy(form, ceremony) {
  try {
    await enter(await ceremony(), 'You’re signed in.');
  } catch (error) {
    report(error, 'login', form);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
export async function signUp(form, button) {
  await exclusively(button, () => registerAndSignIn(form));
  offerAutofill();
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 * @param {string} [email] without one, the device offers what it has
 */
export async function signIn(form, button, email) {
  await exclusively(button, () => enterBy(form, () => login(email)));
  offerAutofill();
}

/**
 * A failed pick is not offered anew at once, but when the person comes back to the field: with
 * an authenticator that answers by itself it would never end.
 * @param {HTMLFormElement} form
 * @param {object} assertion
 */
export async function signInWithPicked(form, assertion) {
  await exclusively(null, () => {
    say('Signing you in…');
    return enterBy(form, () => loginWithPicked(assertion));
  });
}
