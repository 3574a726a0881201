/** The values of a form, and error messages next to the fields. */

/** @typedef {{pointer: string, message: string}} FieldProblem `pointer`: a JSON Pointer */

const MAX_AGE_YEARS = 130;

/**
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>} the trimmed values by field name
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
 * @param {string} message empty: remove the error
 */
function setError(input, message) {
  const output = /** @type {HTMLElement} */ (document.getElementById(`${input.id}-error`));
  output.textContent = message;
  if (message) {
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', output.id);
  } else {
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
  }
}

/**
 * Shows each message next to its field, removes all others, and focuses the first field with one.
 * @param {HTMLFormElement} form
 * @param {FieldProblem[]} problems
 * @returns {boolean} whether a problem belongs to a field of the form
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
 * Finds simple errors without a call of the service. The service checks the values again.
 * @param {HTMLInputElement} input
 * @returns {string} the message; empty if the value is good
 */
function messageFor(input) {
  const name = input.labels?.[0].textContent?.toLowerCase() ?? 'value';
  const { validity } = input;
  if (validity.badInput) return 'Enter a full date.';
  if (!input.value.trim()) return input.required ? `Enter your ${name}.` : '';
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
    .map((input) => ({ pointer: `/${input.name}`, message: messageFor(input) }))
    .filter(({ message }) => message);
  return !showErrors(form, problems);
}

/**
 * @param {HTMLFormElement} form
 * @param {() => void} onSubmit called when the form is submitted without errors
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
 * Sets the earliest and latest date of birth, in the local time zone.
 * @param {HTMLInputElement} input
 */
export function boundBirthDate(input) {
  const now = new Date();
  const local = (/** @type {number} */ year) =>
    [year, now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, '0')).join('-');
  input.max = local(now.getFullYear());
  input.min = local(now.getFullYear() - MAX_AGE_YEARS);
}
