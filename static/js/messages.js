/** Messages of the page, one at a time, also for screen readers (ARIA live regions). */

/** @typedef {{label: string, run: () => void}} Action a button in a message */

/** @param {string} id of a symbol in index.html */
function icon(id) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#${id}`);
  svg.append(use);
  return svg;
}

/**
 * @param {'status' | 'alert'} kind
 * @param {string} text
 * @param {Action} [action] a button after the text
 * @returns {HTMLElement} the live region
 */
function fill(kind, text, action) {
  quiet();
  const region = /** @type {HTMLElement} */ (document.getElementById(`message-${kind}`));
  const line = document.createElement('p');
  line.textContent = text;
  if (action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'link';
    button.textContent = action.label;
    button.addEventListener('click', action.run);
    line.append(' ', button);
  }
  region.append(icon(kind === 'alert' ? 'i-alert' : 'i-check'), line);
  region.classList.add('filled');
  return region;
}

/**
 * Shows good or neutral news (role `status`): a screen reader finishes its sentence first.
 * @param {string} text
 * @param {Action} [action]
 */
export function say(text, action) {
  fill('status', text, action);
}

/**
 * Shows bad news (role `alert`): a screen reader interrupts its sentence.
 * @param {string} text
 * @param {Action} [action]
 */
export function warn(text, action) {
  fill('alert', text, action).scrollIntoView({ block: 'nearest' });
}

/** Removes the message. */
export function quiet() {
  for (const region of document.querySelectorAll('.message')) {
    region.replaceChildren();
    region.classList.remove('filled');
  }
}
