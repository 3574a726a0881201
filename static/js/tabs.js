/**
 * Tabs by the WAI-ARIA pattern: one stop of the Tab key; arrow keys, Home and End select. Which panel
 * is visible is a matter of views.js.
 */

/**
 * @param {HTMLElement} list
 * @param {(name: string) => void} onSelect called when the person selects a tab
 * @returns {(name: string) => void} a function that selects a tab without calling `onSelect`
 */
export function makeTabs(list, onSelect) {
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')]);
  const nameOf = (/** @type {HTMLElement} */ tab) => tab.id.replace('tab-', '');

  const select = (/** @type {string} */ name) => {
    for (const tab of tabs) {
      const chosen = nameOf(tab) === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
  };

  const pick = (/** @type {HTMLElement} */ tab) => {
    if (tab.getAttribute('aria-selected') === 'true') return;
    select(nameOf(tab));
    onSelect(nameOf(tab));
  };

  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => pick(tab));
    tab.addEventListener('keydown', (event) => {
      const steps = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const next = steps[/** @type {keyof typeof steps} */ (event.key)] % tabs.length;
      const target = /** @type {HTMLElement} */ (tabs.at(next));
      target.focus();
      pick(target);
    });
  }
  return select;
}
