// A pin on a map of ours, and one that mouse, finger and arrow keys move.
import * as maplibre from '../vendor/maplibre-gl.mjs';

const DROP = 'M14 1.2c-6.9 0-12.4 5.4-12.4 12.2C1.6 21.6 14 33 14 33s12.4-11.4 12.4-19.6C26.4 6.6 20.9 1.2 14 1.2z';
const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
const METRE = 1 / 111320;
const METRE_SAID = '位置标记，按方向键移动 1 米，同时按住 Shift 移动 10 米';

/** Return a marker at a point. */
export function pinAt(map, point, options = {}) {
  const element = document.createElement('div');
  element.className = 'spot-pin';
  element.innerHTML = `<svg viewBox="0 0 28 34" aria-hidden="true"><path d="${DROP}"></path><circle cx="14" cy="13" r="4.5"></circle></svg>`;
  return new maplibre.Marker({element, anchor: 'bottom', ...options}).setLngLat(point).addTo(map);
}

/**
 * Return a marker that is dragged, and moved by the arrow keys `step()` metres at a time, ten times that with Shift. `moved` gets
 * where it came to rest; `entered` is called for the key Enter; `label` says all that to those who do not look.
 */
export function movablePin(map, point, {moved, entered = null, step = () => 1, label = METRE_SAID}) {
  const pin = pinAt(map, point, {draggable: true});
  const node = pin.getElement();
  node.dataset.movable = 'true';
  node.tabIndex = 0;
  node.setAttribute('role', 'button');
  node.setAttribute('aria-label', label);
  node.addEventListener('keydown', (event) => {
    const way = STEPS[event.key];
    if (!way && !(entered && event.key === 'Enter')) return;
    event.preventDefault();
    event.stopPropagation();
    if (!way) {
      entered();
      return;
    }
    const at = pin.getLngLat();
    const degrees = step() * (event.shiftKey ? 10 : 1) * METRE;
    pin.setLngLat([at.lng + way[0] * degrees / Math.cos(at.lat * Math.PI / 180), at.lat + way[1] * degrees]);
    moved(pin.getLngLat());
  });
  pin.on('dragend', () => moved(pin.getLngLat()));
  return pin;
}
