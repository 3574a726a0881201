/** Reading forms, and errors next to the field they belong to. */

/** @typedef {{pointer: string, message: string}} FieldProblem */

const OLDEST_YEARS = 130;

/**
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>}
 */
export function valuesOf(form) {
  const entries = [...inputsOf(form)].map((input) => [input.name, input.value.trim()]);
  return Object.fromEntries(entries);
}

/** @param {HTMLFormElement} form */
function inputsOf(form) {
  return form.querySelectorAll('input');
}

/**
 * @param {HTMLInputElement} input
 * @param {string} message an empty one clears
 */
function setError(input, message) {
  const place = /** @type {HTMLElement} */ (document.getElementById(`${input.id}-error`));
  place.textContent = message;
  if (message) {
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', place.id);
  } else {
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
  }
}

/** @param {HTMLFormElement} form */
export function clearErrors(form) {
  for (const input of inputsOf(form)) setError(input, '');
}

/**
 * Puts each message next to its field and the focus on the first of them.
 * @param {HTMLFormElement} form
 * @param {FieldProblem[]} problems
 * @returns {boolean} whether any of them had a field here
 */
export function showErrors(form, problems) {
  let first = null;
  for (const input of inputsOf(form)) {
    const problem = problems.find(({ pointer }) => pointer === `/${input.name}`);
    setError(input, problem?.message ?? '');
    if (problem) first ??= input;
  }
  first?.focus();
  return first !== null;
}

/**
 * What is plainly wrong is said before the service is asked. It decides all the same.
 * @param {HTMLInputElement} input
 * @returns {string}
 */
function complaint(input) {
  const name = input.labels?.[0].textContent?.toLowerCase() ?? 'value';
  const { validity } = input;
  if (validity.badInput) return 'Enter a full date.';
  if (!input.value.trim()) return `Enter your ${name}.`;
  if (validity.typeMismatch) return 'Enter an email like name@example.com.';
  if (validity.rangeOverflow) return 'This date is in the future.';
  if (validity.rangeUnderflow) return 'This date is too long ago.';
  return '';
}

/**
 * @param {HTMLFormElement} form
 * @returns {boolean} whether the form can be sent; if not, its errors are shown
 */
export function checkForm(form) {
  const problems = [...inputsOf(form)]
    .map((input) => ({ pointer: `/${input.name}`, message: complaint(input) }))
    .filter(({ message }) => message);
  return !showErrors(form, problems);
}

/**
 * @param {HTMLFormElement} form
 * @param {() => void} onSubmit runs only when the form is in order
 */
export function wireForm(form, onSubmit) {
  form.addEventListener('input', ({ target }) => {
    if (target instanceof HTMLInputElement) setError(target, '');
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (checkForm(form)) onSubmit();
  });
}

/**
 * Bounds of a date of birth, in the person's own calendar.
 * @param {HTMLInputElement} input
 */
export function boundBirthDate(input) {
  const now = new Date();
  const local = (/** @type {number} */ year) =>
    [year, now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, '0')).join('-');
  input.max = local(now.getFullYear());
  input.min = local(now.getFullYear() - OLDEST_YEARS);
}
