/** Shows one view of the page, and marks it as busy. */

/** @typedef {'unsupported' | 'register' | 'login' | 'profile'} View */

/** @type {Record<View, string>} */
const TITLES = {
  unsupported: 'Passkeys aren’t available',
  register: 'Register',
  login: 'Sign in',
  profile: 'Profile',
};
const PRODUCT = document.title;

/**
 * @param {string} id of an element that exists
 * @returns {HTMLElement}
 */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Shows the elements whose `data-view` names the view, and hides those of the others.
 * @param {View} name
 */
export function showView(name) {
  const parts = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-view]'));
  for (const part of parts) part.hidden = !part.dataset.view?.split(' ').includes(name);
  document.title = `${TITLES[name]} · ${PRODUCT}`;
}

/** Focuses the heading of the view, so that keyboards and screen readers start at its top. */
export function focusHeading() {
  const headings = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('main h1'));
  [...headings].find((heading) => heading.offsetParent)?.focus();
}

/**
 * Marks all buttons as disabled. Unlike `disabled`, `aria-disabled` keeps the focus.
 * @param {HTMLElement | null} button the button that was pressed; it gets a spinner
 * @param {string} label the text of that button meanwhile
 * @returns {() => void} a function that restores the buttons
 */
export function showBusy(button, label) {
  const buttons = document.querySelectorAll('main .button');
  for (const each of buttons) each.setAttribute('aria-disabled', 'true');
  const text = button?.querySelector('span');
  const before = text?.textContent ?? '';
  const spinner = document.createElement('i');
  spinner.className = 'spinner';
  if (text) text.textContent = label;
  button?.prepend(spinner);
  return () => {
    for (const each of buttons) each.removeAttribute('aria-disabled');
    spinner.remove();
    if (text) text.textContent = before;
  };
}
