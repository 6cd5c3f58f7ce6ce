// 装修垃圾预约: the pin on the map, the typed address and the places offered are one position; what is there comes back by POST alone.
import {say} from './announce.js';
import {locate} from './location.js';

const WAIT_MS = 250;
const NEAR_ZOOM = 17;
const FAR_ZOOM = 15;
const STEP_PX = 8;
const PIN_SAID = '标记，按方向键移动，同时按住 Shift 移得远些';
const FAILED = '没能取到这里的情况，请稍等再点一次；也可以写好地址直接提交。';
const EMPTY = {type: 'FeatureCollection', features: []};
const holder = document.getElementById('waste-map');
const panel = document.getElementById('waste-where');
const form = document.getElementById('waste-form');
const filled = new Map(); // what we wrote into a field ourselves may be written anew
let map = null;
let pin = null;
let shapes = {};
let timer = 0;
let asked = 0;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  if (!map || !map.getSource('waste-fence')) return;
  ['fence', 'community'].forEach((name) => {
    map.getSource(`waste-${name}`).setData(shapes[name] ? {type: 'Feature', properties: {}, geometry: shapes[name]} : EMPTY);
  });
  holder.dataset.fence = shapes.fence ? 'drawn' : 'none';
}

function addLayers() {
  ['fence', 'community'].forEach((name) => map.addSource(`waste-${name}`, {type: 'geojson', data: EMPTY}));
  map.addLayer({id: 'waste-fence', type: 'fill', source: 'waste-fence', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.14}});
  map.addLayer({id: 'waste-fence-edge', type: 'line', source: 'waste-fence', layout: {'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 3}});
  map.addLayer({id: 'waste-site', type: 'line', source: 'waste-community', layout: {'line-join': 'round'}, paint: {'line-color': token('--ink-2'), 'line-width': 2, 'line-dasharray': [2, 2]}});
  draw();
}

// What the fragment says

function said() {
  return panel && panel.querySelector('.waste-said');
}

function point() {
  const node = said();
  return node && node.dataset.lon ? [Number(node.dataset.lon), Number(node.dataset.lat)] : null;
}

function fill(id, words) {
  const box = document.getElementById(id);
  if (!box || !words || (box.value.trim() && box.value !== filled.get(id))) return;
  box.value = words;
  filled.set(id, words);
}

function readShapes() {
  const island = panel.querySelector('script[type="application/json"]');
  shapes = island ? JSON.parse(island.textContent) : {};
  draw();
}

async function place(at, lead) {
  if (!map) return;
  if (!pin) await addPin(at);
  pin.setLngLat(at);
  if (lead) map.jumpTo({center: at, zoom: Math.max(map.getZoom(), NEAR_ZOOM)});
}

function show(html, {lead, fills}) {
  panel.innerHTML = html;
  readShapes();
  const node = said();
  if (point()) place(point(), lead);
  if (fills && node.dataset.lon) {
    if (form.classList.contains('waste-form')) fill('f-address', node.dataset.address);
    fill('f-site', node.dataset.site);
  }
  const notice = node.querySelector('.notice');
  say(notice ? notice.textContent : node.innerText);
}

/** Ask what `fields` say; `lead` brings the map there, `fills` writes address and community where nothing was typed. */
async function ask(fields, {lead = false, fills = false} = {}) {
  window.clearTimeout(timer);
  const mine = ++asked;
  const body = new FormData();
  body.set('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
  Object.entries(fields).forEach(([name, value]) => body.set(name, value));
  try {
    const response = await fetch('/waste/where', {method: 'POST', body, credentials: 'same-origin'});
    if (!response.ok) throw new Error(String(response.status));
    const html = await response.text();
    if (mine === asked) show(html, {lead, fills});
  } catch (fault) {
    if (mine !== asked) return;
    const note = document.createElement('p');
    note.className = 'notice warn';
    note.textContent = FAILED;
    panel.prepend(note);
    say(FAILED);
  }
}

function words() {
  return document.getElementById('f-address').value.trim();
}

// The map

function moved(at) {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => ask({lon: at.lng.toFixed(6), lat: at.lat.toFixed(6)}, {fills: true}), WAIT_MS);
}

async function addPin(at) {
  const [{movablePin, pinAt}, {metresAPixel}] = await Promise.all([import('./pin.js'), import('./scale.js')]);
  if (pin) return;
  pin = holder.dataset.where ? movablePin(map, at, {label: PIN_SAID, step: () => STEP_PX * metresAPixel(map), moved}) : pinAt(map, at);
}

async function startMap(at) {
  const {openMap} = await import('./desk-map.js');
  const edges = holder.dataset.bbox.split(',').map(Number);
  const whole = {bounds: [[edges[0], edges[1]], [edges[2], edges[3]]]};
  map = await openMap(holder, at ? {center: at, zoom: NEAR_ZOOM - 1} : whole);
  map.on('style.load', addLayers);
  await addPin(at || map.getCenter());
  if (!holder.dataset.where) return;
  map.getCanvas().tabIndex = -1; // the pin is what keys move
  map.on('click', (event) => {
    pin.setLngLat(event.lngLat);
    if (map.getZoom() < FAR_ZOOM) map.jumpTo({center: event.lngLat, zoom: NEAR_ZOOM});
    moved(event.lngLat);
  });
}

function startPicking() {
  form.querySelector('[data-find]').addEventListener('click', (event) => {
    event.preventDefault();
    if (words()) ask({address: words()}, {lead: true, fills: true});
    else document.getElementById('f-address').focus();
  });
  document.getElementById('f-address').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // looks the address up; handing in is the button's
    form.querySelector('[data-find]').click();
  });
  panel.addEventListener('change', (event) => {
    if (event.target.name === 'spot') ask({spot: event.target.value, address: words()}, {lead: true, fills: true});
  });
  holder.parentElement.querySelector('[data-here]').addEventListener('click', async () => {
    say('正在取您的位置');
    try {
      const here = await locate();
      ask({lon: here.lon, lat: here.lat, crs: here.system}, {lead: true, fills: true});
    } catch (refused) {
      say('没有拿到您的位置。请在地图上点，或按地址找。');
    }
  });
  readShapes();
}

if (holder && document.documentElement.classList.contains('map-ready')) {
  const island = document.getElementById('waste-spot');
  const spot = island && JSON.parse(island.textContent);
  if (spot) ({shapes} = spot);
  if (holder.dataset.where) startPicking();
  startMap(point() || (spot && [spot.lon, spot.lat]));
}
