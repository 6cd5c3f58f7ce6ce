// Whether a page is dark: as the device says, but never in 长辈版, and not while it is drawn for paper.
const device = window.matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;

class Scheme extends EventTarget {
  /** Whether the page is dark now: the rule of tokens.css. */
  get matches() {
    return device.matches && !root.matches('[data-view="elder"], .on-paper');
  }
}

/** What a script asks for the look of the page, and listens to for its `change`. */
export const dark = new Scheme();

function tell() {
  dark.dispatchEvent(new Event('change'));
}
device.addEventListener('change', tell);

/** Cover the page in its own colours, so that nobody is dazzled while it is light. */
function cover() {
  const veil = document.createElement('div');
  const now = getComputedStyle(root);
  veil.className = 'paper-veil';
  veil.setAttribute('aria-hidden', 'true');
  Object.assign(veil.style, {backgroundColor: now.getPropertyValue('--bg'), color: now.getPropertyValue('--ink')});
  veil.textContent = '正在画，请稍等…';
  document.body.append(veil);
  return veil;
}

function turn(light) {
  root.classList.toggle('on-paper', light);
  tell();
}

/**
 * Do some work while the page is light, as paper is, and turn it back. What takes its time to turn, a map, is remembered: `remember`
 * returns a wait until it has turned, which is asked both ways.
 */
export async function onPaper(work, remember) {
  if (!dark.matches) return work();
  const settled = remember();
  const veil = cover();
  turn(true);
  try {
    await settled();
    return await work();
  } finally {
    turn(false);
    settled().catch(() => {}).then(() => veil.remove());
  }
}
