/** A countdown to the end of the token, in seconds. */
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
 * Calls `onTick` at every full second that is left, and when a hidden tab becomes visible.
 * @param {number} expires milliseconds since 1970, by the service's clock
 * @param {(left: number) => void} onTick gets the milliseconds that are left
 * @param {() => void} onEnd
 * @returns {() => void} stops the countdown
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
      // Wait until the shown second changes, so that each second is shown for one second.
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
