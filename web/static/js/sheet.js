// The bottom sheet of the phone: three stops, by dragging its handle or by pressing it.
const STOPS = ['peek', 'half', 'full'];
const SHARE = {peek: 0.25, half: 0.5, full: 0.78};
const NAMES = {peek: '已收起', half: '占半屏', full: '已展开'};
const listeners = [];
let door = null;

export function onSheet(listener) {
  listeners.push(listener);
}

export function sheetStop() {
  return door ? door.getAttribute('data-sheet') : 'half';
}

export function setSheet(stop) {
  if (!door) return;
  door.setAttribute('data-sheet', stop);
  const handle = document.getElementById('sheet-handle');
  if (handle) {
    handle.setAttribute('aria-expanded', String(stop !== 'peek'));
    handle.setAttribute('aria-label', `结果${NAMES[stop]}，按一下${stop === 'full' ? '收起' : '展开'}`);
  }
  listeners.forEach((listener) => listener(stop));
}

function nearest(share) {
  return STOPS.reduce((best, stop) => (Math.abs(SHARE[stop] - share) < Math.abs(SHARE[best] - share) ? stop : best));
}

function drag(event) {
  const sheet = document.getElementById('sheet');
  const begun = event.clientY;
  const height = sheet.getBoundingClientRect().height;
  let moved = 0;
  const move = (moving) => {
    moved = begun - moving.clientY;
    if (Math.abs(moved) < 4) return;
    sheet.setAttribute('data-dragging', '');
    sheet.style.height = `${Math.max(90, height + moved)}px`;
  };
  const end = () => {
    window.removeEventListener('pointermove', move);
    window.removeEventListener('pointerup', end);
    window.removeEventListener('pointercancel', end);
    sheet.removeAttribute('data-dragging');
    const share = sheet.getBoundingClientRect().height / door.getBoundingClientRect().height;
    sheet.style.height = '';
    if (Math.abs(moved) > 8) {
      dragged = true;
      setSheet(nearest(share));
    }
  };
  window.addEventListener('pointermove', move);
  window.addEventListener('pointerup', end);
  window.addEventListener('pointercancel', end);
}

let dragged = false;

export function startSheet(root) {
  door = root;
  setSheet('half');
  document.addEventListener('pointerdown', (event) => {
    if (event.target.id !== 'sheet-handle') return;
    dragged = false;
    drag(event);
  });
  document.addEventListener('click', (event) => {
    if (event.target.id !== 'sheet-handle' || dragged) return;
    const at = STOPS.indexOf(sheetStop());
    setSheet(STOPS[(at + 1) % STOPS.length]);
  });
  // A field or a row that gets the focus must not lie under the fold of a collapsed sheet.
  document.addEventListener('focusin', (event) => {
    const body = document.getElementById('sheet-body');
    if (sheetStop() === 'peek' && body && body.contains(event.target) && event.target.matches(':focus-visible')) setSheet('half');
  });
}
