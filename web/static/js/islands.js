// The island map: a changed choice asks once for list and map; a pin opens a card, a row lights its place.
import {say} from './announce.js';
import {locate} from './location.js';
import {dark} from './scheme.js';

const finder = document.getElementById('islands-finder');
const holder = document.getElementById('islands-map');
const card = document.getElementById('islands-card');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const EMPTY = {type: 'FeatureCollection', features: []};

let map = null;
let maplibre = null;
let asked = null;
let near = null;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function theme() {
  if (document.documentElement.dataset.view === 'elder') return 'elder';
  return dark.matches ? 'dark' : 'light';
}

function answer() {
  return JSON.parse(document.getElementById('islands-answer').textContent);
}

function features() {
  const {layers, pins} = answer();
  return {
    type: 'FeatureCollection',
    features: pins.map(([id, lon, lat, layer, name]) => ({
      type: 'Feature', id, geometry: {type: 'Point', coordinates: [lon, lat]}, properties: {id, name, pin: `pin:${layers[layer].pin}`, layer: layers[layer].key},
    })),
  };
}

// One answer for list and map

function choice() {
  const params = new URLSearchParams();
  new FormData(document.getElementById('islands-form')).forEach((value, key) => { if (value) params.append(key, value); });
  return params;
}

function focused() {
  const node = document.activeElement;
  return node && finder.contains(node) && node.name ? [node.name, node.value] : null;
}

function refocus(mark) {
  if (!mark) return;
  const found = Array.from(finder.querySelectorAll(`[name="${mark[0]}"]`));
  const node = found.find((one) => one.value === mark[1]) || found[0];
  if (node) node.focus({preventScroll: true});
}

async function ask(address) {
  if (asked) asked.abort();
  const own = new AbortController();
  asked = own;
  const url = new URL(address, window.location.href);
  ['lon', 'lat', 'crs'].forEach((key) => url.searchParams.delete(key));
  const kept = url.pathname + url.search; // a position stays out of the address
  if (near) Object.entries(near).forEach(([key, value]) => url.searchParams.set(key, value));
  finder.setAttribute('aria-busy', 'true');
  try {
    const said = await fetch(url, {signal: own.signal, headers: {'X-Fragment': 'finder'}});
    if (!said.ok) throw new Error(String(said.status));
    const text = await said.text();
    const [mark, open] = [focused(), finder.querySelector('.islands-more').open];
    finder.innerHTML = text;
    if (open) finder.querySelector('.islands-more').open = true;
    refocus(mark);
    window.history.replaceState(null, '', kept);
    if (map && map.getSource('island')) map.getSource('island').setData(features());
    say(document.getElementById('islands-found').textContent);
  } catch (fault) {
    if (fault.name === 'AbortError') return;
    say('网络断了，没有取到结果。恢复后再选一次。');
    window.location.assign(kept);
  }
  finder.removeAttribute('aria-busy');
}

finder.addEventListener('change', (event) => {
  if (event.target.closest('#islands-form')) ask(`${window.location.pathname}?${choice()}`);
});
finder.addEventListener('submit', (event) => {
  event.preventDefault();
  ask(`${window.location.pathname}?${choice()}`);
});
finder.addEventListener('click', async (event) => {
  const link = event.target.closest('a[data-preset], a[data-page]');
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    await ask(link.href);
    if (link.matches('[data-page]')) document.getElementById('islands-found').scrollIntoView({block: 'start'});
    return;
  }
  const button = event.target.closest('[data-near]');
  if (!button) return;
  if (near) near = null;
  else {
    button.setAttribute('aria-busy', 'true');
    try {
      const at = await locate();
      near = {lon: at.lon.toFixed(6), lat: at.lat.toFixed(6), crs: at.system};
    } catch (fault) {
      button.removeAttribute('aria-busy');
      say('没有拿到您的位置。可以选一个乡镇。');
      button.lastChild.textContent = '没有拿到您的位置，可以选乡镇';
      return;
    }
  }
  ask(window.location.href);
});

// The card of a place

async function open(id) {
  try {
    const said = await fetch(`/islands/places/${id}`);
    if (!said.ok) throw new Error(String(said.status));
    card.innerHTML = await said.text();
  } catch (fault) {
    card.innerHTML = '<p>没有取到这一家的信息，它可能刚下线。请在列表里再找一次。</p>';
  }
  card.hidden = false;
  const head = card.querySelector('h2');
  if (head) head.focus({preventScroll: true});
  light(id);
}

function close() {
  card.hidden = true;
  light(null);
}
card.addEventListener('click', (event) => { if (event.target.closest('[data-close]')) close(); });
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !card.hidden) close(); });

// The map

let lit = null;
function light(id) {
  document.querySelectorAll('.islands-row').forEach((row) => row.classList.toggle('lit', row.dataset.id === String(id)));
  if (lit) lit.remove();
  lit = null;
  const pin = map && answer().pins.find((one) => String(one[0]) === String(id));
  if (pin) lit = new maplibre.Marker({color: token('--accent'), scale: 0.5, anchor: 'center'}).setLngLat([pin[1], pin[2]]).addTo(map);
}
finder.addEventListener('mouseover', (event) => { const row = event.target.closest('.islands-row'); if (row) light(row.dataset.id); });
finder.addEventListener('focusin', (event) => { const row = event.target.closest('.islands-row'); if (row) light(row.dataset.id); });

async function draw(pins) {
  await pins.givePins(map, answer().layers.map((one) => one.pin), theme());
  if (map.getSource('island')) return;
  map.addSource('island', {type: 'geojson', data: EMPTY, cluster: true, clusterRadius: 44, clusterMaxZoom: 13});
  const words = ['PingFang SC', 'HarmonyOS Sans SC', 'Microsoft YaHei UI', 'Noto Sans CJK SC', 'sans-serif'];
  map.addLayer({id: 'island-clusters', type: 'circle', source: 'island', filter: ['has', 'point_count'], paint: {
    'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 2,
    'circle-radius': ['min', 30, ['+', 12, ['*', 5, ['log10', ['get', 'point_count']]]]],
  }});
  map.addLayer({id: 'island-counts', type: 'symbol', source: 'island', filter: ['has', 'point_count'], layout: {
    'text-field': ['to-string', ['get', 'point_count']], 'text-size': 13, 'text-font': words, 'text-allow-overlap': true,
  }, paint: {'text-color': token('--on-accent')}});
  map.addLayer({id: 'island-pins', type: 'symbol', source: 'island', filter: ['!', ['has', 'point_count']], layout: {
    'icon-image': ['get', 'pin'], 'icon-anchor': 'bottom', 'icon-allow-overlap': true,
    'text-field': ['step', ['zoom'], '', 13, ['get', 'name']], 'text-font': words, 'text-size': 12, 'text-anchor': 'top',
    'text-offset': [0, 0.3], 'text-max-width': 8, 'text-optional': true,
  }, paint: {'text-color': token('--ink'), 'text-halo-color': token('--surface'), 'text-halo-width': 1.8}});
  map.getSource('island').setData(features());
}

async function start() {
  const [desk, pins] = await Promise.all([import('./desk-map.js'), import('./pins.js')]);
  maplibre = desk.maplibre;
  const [west, south, east, north] = holder.dataset.box.split(',').map(Number);
  map = await desk.openMap(holder, {bounds: [[west, south], [east, north]], fitBoundsOptions: {padding: 24}});
  map.on('style.load', () => draw(pins));
  if (map.isStyleLoaded()) draw(pins);
  map.on('click', async (event) => {
    if (!map.getLayer('island-pins')) return;
    const around = [[event.point.x - 8, event.point.y - 8], [event.point.x + 8, event.point.y + 8]];
    const [hit] = map.queryRenderedFeatures(around, {layers: ['island-pins', 'island-clusters']});
    if (!hit) return;
    if (hit.properties.cluster) {
      const zoom = await map.getSource('island').getClusterExpansionZoom(hit.properties.cluster_id);
      map.easeTo({center: hit.geometry.coordinates, zoom: Math.max(zoom, map.getZoom() + 1), duration: still.matches ? 0 : 200});
    } else open(hit.properties.id);
  });
  ['island-pins', 'island-clusters'].forEach((layer) => {
    map.on('mouseenter', layer, () => { map.getCanvas().style.cursor = 'pointer'; });
    map.on('mouseleave', layer, () => { map.getCanvas().style.cursor = ''; });
  });
}

start().catch(() => { holder.parentElement.hidden = true; });
