/** What the page says to the person: one message at a time, seen and heard. */

/** @typedef {{label: string, run: () => void}} Action */

/** @param {string} id */
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
 * @param {Action} [action]
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
 * Good or neutral news, read out when the screen reader has time.
 * @param {string} text
 * @param {Action} [action]
 */
export function say(text, action) {
  fill('status', text, action);
}

/**
 * Bad news, read out at once.
 * @param {string} text
 * @param {Action} [action]
 */
export function warn(text, action) {
  fill('alert', text, action).scrollIntoView({ block: 'nearest' });
}

/** Takes back what was said. */
export function quiet() {
  for (const region of document.querySelectorAll('.message')) {
    region.replaceChildren();
    region.classList.remove('filled');
  }
}
