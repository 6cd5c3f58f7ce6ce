// The desk of addresses: the point on the map and the numbers of the form are one; what is not saved is not lost unasked.
import {maplibre, openMap} from './desk-map.js';
import {movablePin, pinAt} from './pin.js';

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

function drop(point) {
  if (pin) pin.setLngLat(point);
  else if (holder.dataset.movable === 'true') pin = movablePin(map, point, {moved: write});
  else pin = pinAt(map, point);
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
