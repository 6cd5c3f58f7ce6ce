// The desk of addresses: the point on the map and the numbers of the form are one; what is not saved is not lost unasked.
import * as maplibre from '../vendor/maplibre-gl.mjs';

const holder = document.getElementById('map');
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const DROP = 'M14 1.2c-6.9 0-12.4 5.4-12.4 12.2C1.6 21.6 14 33 14 33s12.4-11.4 12.4-19.6C26.4 6.6 20.9 1.2 14 1.2z';
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

// The map

function styleAddress() {
  return `${holder.dataset.styles}${dark.matches ? 'dark' : 'light'}.json`;
}

function loadStyles() {
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = holder.dataset.css;
    link.onload = resolve;
    link.onerror = reject;
    document.head.append(link);
  });
}

async function startMap(options) {
  await loadStyles();
  maplibre.setWorkerUrl(new URL(holder.dataset.worker, window.location.href).href);
  const box = holder.dataset.bbox.split(',').map(Number);
  map = new maplibre.Map({
    container: holder,
    style: styleAddress(),
    maxBounds: [[box[0] - 0.6, box[1] - 0.5], [box[2] + 0.6, box[3] + 0.5]],
    maxZoom: 19,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    localIdeographFontFamily: '"PingFang SC","HarmonyOS Sans SC","Microsoft YaHei UI","Noto Sans CJK SC",sans-serif',
    locale: {'Map.Title': '地图'},
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  holder.quantu = map; // for those who look into the page: tests, and the console
  map.on('load', () => { holder.dataset.ready = 'true'; });
  dark.addEventListener('change', () => map.setStyle(styleAddress(), {diff: false}));
  document.getElementById('zoom-in').addEventListener('click', () => map.zoomIn());
  document.getElementById('zoom-out').addEventListener('click', () => map.zoomOut());
}

// One address: a pin that is dragged, or follows the numbers

function typed() {
  const point = [LON, LAT].map((input) => (input && input.value.trim() ? Number(input.value) : NaN));
  return point.every(Number.isFinite) && Math.abs(point[0]) <= 180 && Math.abs(point[1]) <= 90 ? point : null;
}

function write(at) {
  LON.value = at.lng.toFixed(7);
  LAT.value = at.lat.toFixed(7);
  LON.dispatchEvent(new Event('input', {bubbles: true}));
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
  if (movable) node.dataset.movable = 'true';
  pin = new maplibre.Marker({element: node, anchor: 'bottom', draggable: movable}).setLngLat(point).addTo(map);
  pin.on('dragend', () => write(pin.getLngLat()));
}

async function startSpot() {
  const spot = island('spot');
  const point = typed() || (spot ? [Number(spot.lon), Number(spot.lat)] : null);
  const whole = {bounds: [[121.36, 31.13], [121.58, 31.32]]};
  await startMap(point ? {center: point, zoom: 17} : whole);
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
  await startMap({bounds, fitBoundsOptions: {padding: 40, maxZoom: 17}});
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
