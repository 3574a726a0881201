/** The time left on the token, by the second. */
import { serverNow } from './api.js';

/**
 * @param {number} ms
 * @returns {string} such as 59:07 or 1:00:00
 */
export function clockText(ms) {
  const total = Math.max(0, Math.ceil(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * Calls back at every full second left, and at once when a sleeping tab comes back.
 * @param {number} expires
 * @param {(left: number) => void} onTick
 * @param {() => void} onEnd
 * @returns {() => void} stops it
 */
export function countDown(expires, onTick, onEnd) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', tick);
  };
  function tick() {
    clearTimeout(timer);
    const left = expires - serverNow();
    onTick(Math.max(0, left));
    if (left > 0) {
      // Aligned with the seconds that are shown, so that none is skipped or shown twice as long.
      timer = setTimeout(tick, left % 1000 || 1000);
    } else {
      stop();
      onEnd();
    }
  }
  document.addEventListener('visibilitychange', tick);
  tick();
  return stop;
}
