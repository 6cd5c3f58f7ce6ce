// The desk of addresses: the point on the map and the numbers of the form are one; what is not saved is not lost unasked.
import {DROP, maplibre, openMap} from './desk-map.js';

const holder = document.getElementById('map');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const LON = document.getElementById('lon');
const LAT = document.getElementById('lat');

let map = null;
let pin = null;

function island(id) {
  const node = document.getElementById(id);
  return node ? JSON.parse(node.textContent) : null;
}

// What is typed and not saved

let unsaved = false;

function guardForms() {
  document.querySelectorAll('form[data-guard]').forEach((form) => {
    form.addEventListener('input', () => { unsaved = true; });
    form.addEventListener('submit', () => { unsaved = false; });
  });
  window.addEventListener('beforeunload', (event) => {
    if (unsaved) event.preventDefault();
  });
}

// One address: a pin that is dragged, or follows the numbers

function typed() {
  return holds([LON, LAT].map((input) => (input && input.value.trim() ? Number(input.value) : NaN)));
}

function holds(point) {
  return point.every(Number.isFinite) && Math.abs(point[0]) <= 180 && Math.abs(point[1]) <= 90 ? point : null;
}

function write(at) {
  LON.value = at.lng.toFixed(7);
  LAT.value = at.lat.toFixed(7);
  LON.dispatchEvent(new Event('input', {bubbles: true}));
}

// The pin is moved by the arrow keys too: a metre a step, ten with Shift.
const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
const METRE = 1 / 111320;

function followKeys(node) {
  node.tabIndex = 0;
  node.setAttribute('role', 'button');
  node.setAttribute('aria-label', '位置标记，按方向键移动 1 米，同时按住 Shift 移动 10 米');
  node.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = pin.getLngLat();
    const metres = (event.shiftKey ? 10 : 1) * METRE;
    pin.setLngLat([at.lng + step[0] * metres / Math.cos(at.lat * Math.PI / 180), at.lat + step[1] * metres]);
    write(pin.getLngLat());
  });
}

function drop(point) {
  if (pin) {
    pin.setLngLat(point);
    return;
  }
  const node = document.createElement('div');
  node.className = 'spot-pin';
  node.innerHTML = `<svg viewBox="0 0 28 34" aria-hidden="true"><path d="${DROP}"></path><circle cx="14" cy="13" r="4.5"></circle></svg>`;
  const movable = holder.dataset.movable === 'true';
  if (movable) {
    node.dataset.movable = 'true';
    followKeys(node);
  }
  pin = new maplibre.Marker({element: node, anchor: 'bottom', draggable: movable}).setLngLat(point).addTo(map);
  pin.on('dragend', () => write(pin.getLngLat()));
}

async function startSpot() {
  const spot = island('spot');
  const point = typed() || (spot && spot.lon ? holds([Number(spot.lon), Number(spot.lat)]) : null);
  const whole = {bounds: [[121.36, 31.13], [121.58, 31.32]]};
  map = await openMap(holder, point ? {center: point, zoom: 17} : whole);
  if (point) drop(point);
  if (holder.dataset.movable !== 'true') return;
  map.on('click', (event) => {
    drop(event.lngLat);
    write(event.lngLat);
  });
  [LON, LAT].forEach((input) => input.addEventListener('change', () => {
    if (!typed()) return;
    drop(typed());
    map.jumpTo({center: typed()});
  }));
}

// What a check found: numbered spots, and a list that leads to them

function lightRow(at) {
  document.querySelectorAll('.spot-dot').forEach((node, index) => node.classList.toggle('lit', index === at));
  document.querySelectorAll('[data-spot]').forEach((link) => link.closest('tr').classList.toggle('lit', Number(link.dataset.spot) === at));
}

async function startSpots(spots) {
  const bounds = new maplibre.LngLatBounds();
  spots.forEach((spot) => bounds.extend([spot.lon, spot.lat]));
  map = await openMap(holder, {bounds, fitBoundsOptions: {padding: 40, maxZoom: 17}});
  spots.forEach((spot, at) => {
    const node = document.createElement('button');
    node.type = 'button';
    node.tabIndex = -1; // the list is the way by keyboard
    node.className = 'spot-dot';
    node.title = spot.name;
    node.textContent = String(spot.rank);
    node.addEventListener('click', () => {
      lightRow(at);
      document.querySelector(`[data-spot="${at}"]`).closest('tr').scrollIntoView({block: 'center', behavior: still.matches ? 'auto' : 'smooth'});
    });
    new maplibre.Marker({element: node}).setLngLat([spot.lon, spot.lat]).addTo(map);
  });
  document.querySelectorAll('[data-spot]').forEach((link) => link.addEventListener('click', (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const at = Number(link.dataset.spot);
    lightRow(at);
    map.jumpTo({center: [spots[at].lon, spots[at].lat], zoom: 17});
    holder.scrollIntoView({block: 'nearest'});
  }));
}

guardForms();
if (holder) {
  const spots = island('spots');
  if (spots) startSpots(spots);
  else startSpot();
}
