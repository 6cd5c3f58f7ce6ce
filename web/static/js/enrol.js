// 入园: candidates while an address is typed, sent by POST so that no address lies in a link; the map to pick it on, and that of the answer.
import {say} from './announce.js';
import './print.js';

const WAIT_MS = 200;
const box = document.getElementById('address');
const list = document.getElementById('suggestions');
let timer = 0;
let asked = 0;
let active = -1;

const options = () => Array.from(list.querySelectorAll('[role="option"]'));

function close() {
  window.clearTimeout(timer);
  asked += 1;
  active = -1;
  list.hidden = true;
  list.innerHTML = '';
  box.setAttribute('aria-expanded', 'false');
  box.removeAttribute('aria-activedescendant');
}

function mark(index) {
  const all = options();
  if (!all.length) return;
  active = (index + all.length) % all.length;
  all.forEach((option, at) => option.setAttribute('aria-selected', String(at === active)));
  box.setAttribute('aria-activedescendant', all[active].id);
  all[active].scrollIntoView({block: 'nearest'});
}

async function suggest() {
  const words = box.value.trim();
  if (!words) {
    close();
    return;
  }
  const mine = ++asked;
  let html;
  try {
    const response = await fetch('/enrol/suggest', {method: 'POST', body: new FormData(box.form), credentials: 'same-origin'});
    if (!response.ok) return;
    html = await response.text();
  } catch (error) {
    return; // typing goes on; pressing Enter asks the page itself
  }
  if (mine !== asked || document.activeElement !== box) return;
  list.innerHTML = html;
  list.hidden = false;
  active = -1;
  box.setAttribute('aria-expanded', 'true');
  const count = options().length;
  say(count ? `有 ${count} 个候选，用上下键选` : '没有候选');
}

function choose(option) {
  box.value = option.dataset.address;
  close();
  say(`已填好：${box.value}`);
}

function startBox() {
  box.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(suggest, WAIT_MS);
  });
  box.addEventListener('keydown', (event) => {
    const shown = !list.hidden;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!shown) suggest();
      else mark(active + (event.key === 'ArrowDown' ? 1 : -1) + (active < 0 && event.key === 'ArrowUp' ? 1 : 0));
    } else if (event.key === 'Enter' && shown && active >= 0) {
      event.preventDefault();
      choose(options()[active]);
    } else if (event.key === 'Escape' && shown) {
      event.preventDefault();
      close();
    }
  });
  box.addEventListener('focusout', () => window.setTimeout(close, 150));
  list.addEventListener('mousedown', (event) => {
    const option = event.target.closest('[role="option"]');
    if (!option) return;
    event.preventDefault(); // keeps the focus, so that the list is not closed before it is read
    if (event.button === 0) choose(option);
  });
}

// In place of writing: the map, opened on demand

function startPicker(open, home) {
  const panel = document.getElementById('pick');
  let started = false;
  open.addEventListener('click', async () => {
    panel.hidden = !panel.hidden;
    open.setAttribute('aria-expanded', String(!panel.hidden));
    if (panel.hidden || started) return;
    started = true;
    const {startPicking} = await import('./enrol-picking.js');
    startPicking(panel, box, home, (address) => {
      box.value = address;
      box.form.querySelector('[type="submit"]').click();
    });
  });
}

// The map: the area, the way, the home and the kindergartens

function spot(name, icon) {
  const node = document.createElement('div');
  node.className = `enrol-spot ${name}`;
  const sprite = document.querySelector('.icon use').getAttribute('href').split('#')[0];
  node.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${sprite}#${icon}"></use></svg>`;
  return node;
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function spread(bounds, coordinates) {
  if (typeof coordinates[0] === 'number') bounds.extend(coordinates);
  else coordinates.forEach((each) => spread(bounds, each));
}

async function startMap(holder, found) {
  const {maplibre, openMap} = await import('./desk-map.js');
  const bounds = new maplibre.LngLatBounds(found.home, found.home);
  found.places.forEach((place) => bounds.extend(place.point));
  if (found.line.length) spread(bounds, found.line);
  const map = await openMap(holder, {bounds, fitBoundsOptions: {padding: 40, maxZoom: 16}});
  const features = (geometries) => ({type: 'FeatureCollection', features: geometries.map((geometry) => ({type: 'Feature', properties: {}, geometry}))});
  map.on('style.load', () => {
    map.addSource('areas', {type: 'geojson', data: features(found.areas)});
    map.addLayer({id: 'areas', type: 'fill', source: 'areas', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.14}});
    map.addLayer({id: 'area-edges', type: 'line', source: 'areas', layout: {'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 2}});
    map.addSource('way', {type: 'geojson', data: features(found.line.length ? [{type: 'LineString', coordinates: found.line}] : [])});
    const round = {'line-join': 'round', 'line-cap': 'round'};
    map.addLayer({id: 'way-casing', type: 'line', source: 'way', layout: round, paint: {'line-color': token('--pin-ring'), 'line-width': 8}});
    map.addLayer({id: 'way', type: 'line', source: 'way', layout: round, paint: {'line-color': token('--ink'), 'line-width': 3.4, 'line-dasharray': [0, 1.9]}});
  });
  found.places.forEach((place) => new maplibre.Marker({element: spot('school', 'school')}).setLngLat(place.point).addTo(map));
  new maplibre.Marker({element: spot('home', 'house')}).setLngLat(found.home).addTo(map);
}

if (box) startBox();
const holder = document.getElementById('enrol-map');
const island = document.getElementById('enrol-answer');
const drawable = document.documentElement.classList.contains('map-ready');
const found = island && JSON.parse(island.textContent);
if (holder && found && drawable) startMap(holder, found);
const pickOpen = document.getElementById('pick-open');
if (pickOpen && drawable) startPicker(pickOpen, found && found.home);
