/** Which view is on the page, and whether it is busy. */

const NAMES = ['loading', 'unsupported', 'auth', 'profile'];
const PRODUCT = document.title;

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * @param {'unsupported' | 'auth' | 'profile'} name
 * @param {string} title
 */
export function showView(name, title) {
  for (const other of NAMES) byId(`view-${other}`).hidden = other !== name;
  document.title = `${title} · ${PRODUCT}`;
}

/** Puts the focus on the heading of the view, so that keyboard and reader start from its top. */
export function focusHeading() {
  const headings = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('main h1'));
  [...headings].find((heading) => heading.offsetParent)?.focus();
}

/**
 * Marks everything that can be pressed as waiting. Not `disabled`: that would drop the focus.
 * @param {HTMLElement | null} button the one that was pressed
 * @param {string} label
 * @returns {() => void} undoes it
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
