/** The buttons below the message of a failure: every message has a way on. */
import { ApiError } from './api.js';
import { goToSignIn, openTab } from './auth_view.js';
import { meansAccountExists } from './error_messages.js';
import { valuesOf } from './forms.js';
import { PasskeyError } from './passkeys.js';
import { focusHeading } from './views.js';

/**
 * @typedef {object} Attempt what the person tried
 * @property {'register' | 'login'} doing
 * @property {HTMLFormElement} form
 * @property {() => void} again tries the same once more
 * @property {() => void} [anyway] tries it although this device seems unable to
 */

function goToRegister() {
  openTab('register');
  focusHeading();
}

/** @param {unknown} error */
function mayHaveNoAccount(error) {
  if (error instanceof PasskeyError) return error.kind === 'cancelled';
  return error instanceof ApiError && error.status === 401;
}

/**
 * @param {unknown} error
 * @param {Attempt} attempt
 * @returns {import('./messages.js').Action[]}
 */
export function waysOn(error, { doing, form, again, anyway }) {
  if (meansAccountExists(error)) {
    return [{ label: 'Go to sign in', run: () => goToSignIn(valuesOf(form).email) }];
  }
  if (anyway && error instanceof PasskeyError && error.kind === 'no-lock') {
    return [{ label: 'Try anyway', run: anyway }];
  }
  if (error instanceof ApiError && error.status === 422) {
    return [{ label: 'Back to the form', run: () => form.querySelector('input')?.focus() }];
  }
  const ways = [{ label: 'Try again', run: again }];
  if (doing === 'login' && mayHaveNoAccount(error)) {
    ways.push({ label: 'Create an account', run: goToRegister });
  }
  return ways;
}
