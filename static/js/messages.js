/** Messages of the page, one at a time, also for screen readers (ARIA live regions). */

/** @typedef {{label: string, run: () => void}} Action a button below a message */

/** @param {string} id of a symbol in index.html */
function icon(id) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#${id}`);
  svg.append(use);
  return svg;
}

/** @param {Action} action */
function button({ label, run }) {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = 'link';
  element.textContent = label;
  element.addEventListener('click', run);
  return element;
}

/**
 * @param {'status' | 'alert'} role
 * @param {string} symbol
 * @param {string} text
 * @param {Action[]} actions
 */
function show(role, symbol, text, actions) {
  quiet();
  const region = /** @type {HTMLElement} */ (document.getElementById(`message-${role}`));
  const [body, line] = [document.createElement('div'), document.createElement('p')];
  line.textContent = text;
  body.append(line);
  if (actions.length) {
    const ways = document.createElement('p');
    ways.className = 'ways';
    ways.append(...actions.map(button));
    body.append(ways);
  }
  region.append(icon(symbol), body);
  region.classList.add('filled');
  // The button that was pressed may be a whole screen below.
  region.scrollIntoView({ block: 'nearest' });
}

/**
 * Shows good news (role `status`): a screen reader finishes its sentence first.
 * @param {string} text
 * @param {Action[]} [actions]
 */
export function say(text, actions = []) {
  show('status', 'i-check', text, actions);
}

/**
 * Shows news that are neither good nor bad, such as a prompt that the person closed.
 * @param {string} text
 * @param {Action[]} [actions]
 */
export function note(text, actions = []) {
  show('status', 'i-info', text, actions);
}

/**
 * Shows bad news (role `alert`): a screen reader interrupts its sentence.
 * @param {string} text
 * @param {Action[]} [actions]
 */
export function warn(text, actions = []) {
  show('alert', 'i-alert', text, actions);
}

/** Removes the message. */
export function quiet() {
  for (const region of document.querySelectorAll('.message')) {
    region.replaceChildren();
    region.classList.remove('filled');
  }
}
