// The heat map: told figures as coloured cells, regions or a smooth picture; periods one after the other without leaving the page.
import {say} from './announce.js';

const holder = document.getElementById('heat-map');
const form = document.getElementById('heat-form');
const slider = document.getElementById('heat-slider');
const play = document.getElementById('heat-play');
const EMPTY = {type: 'FeatureCollection', features: []};
const TURN_MS = 1400;
let answer = JSON.parse(document.getElementById('heat-answer').textContent);
let map = null;
let asked = null;
let turning = 0;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// What is asked

form.addEventListener('change', (event) => {
  if (event.target.matches('[data-facts]')) {
    window.location.href = event.target.value;
    return;
  }
  stop();
  form.requestSubmit ? form.requestSubmit() : form.submit();
});
form.addEventListener('submit', () => {
  form.querySelectorAll('select, input').forEach((each) => { if (each.value === '' || each.value === 'grid') each.disabled = true; });
});
window.addEventListener('pageshow', () => form.querySelectorAll('select, input').forEach((each) => { each.disabled = false; }));

// Periods

async function turn(at, {push = true} = {}) {
  const [address, words] = answer.periods[at];
  const found = await fetch(address, {headers: {Accept: 'text/html'}}).catch(() => null);
  if (!found || !found.ok) {
    window.location.href = address; // the server says what is wrong, or the browser that there is no network
    return;
  }
  const page = new DOMParser().parseFromString(await found.text(), 'text/html');
  page.querySelectorAll('[data-swap]').forEach((part) => {
    const old = document.querySelector(`[data-swap="${part.dataset.swap}"]`);
    if (old) old.replaceWith(part);
  });
  answer = JSON.parse(page.getElementById('heat-answer').textContent);
  if (slider) slider.value = answer.at;
  const chosen = document.getElementById('heat-at');
  if (chosen) chosen.selectedIndex = answer.periods.length - 1 - answer.at;
  if (push) window.history.replaceState({}, '', address);
  say(words);
  draw();
}

function stop() {
  window.clearTimeout(turning);
  turning = 0;
  if (play) {
    play.setAttribute('aria-pressed', 'false');
    play.lastElementChild.textContent = '播放';
  }
}

async function step() {
  if (!turning) return;
  await turn((answer.at + 1) % answer.periods.length);
  if (turning && answer.at < answer.periods.length - 1) turning = window.setTimeout(step, TURN_MS);
  else stop();
}

if (play) {
  play.addEventListener('click', () => {
    if (turning) { stop(); return; }
    play.setAttribute('aria-pressed', 'true');
    play.lastElementChild.textContent = '停下';
    turning = window.setTimeout(step, 10);
  });
}
if (slider) slider.addEventListener('change', () => { stop(); turn(Number(slider.value)); });
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-turn]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const at = answer.periods.findIndex(([address]) => new URL(address, link.href).href === link.href);
  if (at < 0) return;
  event.preventDefault();
  stop();
  turn(at);
});

// The map

function steps(palette) {
  const count = palette === 'diverging' ? 7 : 5;
  const pairs = [];
  for (let number = 1; number <= count; number += 1) pairs.push(number, token(`--${palette}-${number}`));
  return ['match', ['get', 'class'], ...pairs, token('--surface-2')];
}

function below() {
  const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
  return first && first.id;
}

function pixels(metres, zoom) {
  return (metres * 512 * 2 ** zoom) / (40075016 * Math.cos((31.2 * Math.PI) / 180));
}

function layersOf(palette) {
  if (answer.draw === 'smooth') {
    return [{id: 'heat', type: 'heatmap', source: 'heat', paint: {
      'heatmap-weight': ['min', 1, ['/', ['get', 'value'], answer.most]],
      'heatmap-intensity': 1.5, // a cell alone shows as what it is, though no other adds to it
      'heatmap-radius': ['interpolate', ['exponential', 2], ['zoom'], 7, Math.max(10, pixels(answer.metres, 7) * 1.6), 18, pixels(answer.metres, 18) * 1.6],
      'heatmap-opacity': 0.8,
      'heatmap-color': ['interpolate', ['linear'], ['heatmap-density'], 0, `${token(`--${palette}-2`)}00`, 0.06, token(`--${palette}-2`), 0.3, token(`--${palette}-3`), 0.6, token(`--${palette}-4`), 1, token(`--${palette}-5`)],
    }}];
  }
  return [
    {id: 'heat', type: 'fill', source: 'heat', filter: ['>', ['get', 'class'], 0], paint: {'fill-color': steps(palette), 'fill-opacity': 0.78}},
    {id: 'heat-edges', type: 'line', source: 'heat', paint: {'line-color': token('--control'), 'line-width': answer.draw === 'regions' ? 1 : 0.4}},
  ];
}

function show(found) {
  if (!map.getSource('heat')) map.addSource('heat', {type: 'geojson', data: EMPTY});
  map.getSource('heat').setData(found.features || EMPTY);
  ['heat-edges', 'heat'].forEach((id) => { if (map.getLayer(id)) map.removeLayer(id); });
  const under = below();
  layersOf(found.palette).forEach((layer) => map.addLayer(layer, under));
  legend(found);
  holder.dataset.by = found.by;
  holder.dataset.drawn = 'true';
}

/** Cells too many to draw are drawn coarser: the legend is that of what is drawn. */
function legend(found) {
  if (answer.draw === 'regions') return;
  const list = document.getElementById('heat-legend');
  list.querySelectorAll('[data-step], li:not(.caption)').forEach((line) => line.remove());
  const unit = list.querySelector('.caption');
  found.classes.forEach(({step: number, words}) => {
    const line = document.createElement('li');
    line.dataset.step = number;
    line.innerHTML = `<svg width="28" height="20" viewBox="0 0 28 20" aria-hidden="true"><rect class="fill-${found.palette}-${number}" x="2" y="2" width="24" height="16" rx="2"></rect></svg><span></span>`;
    line.lastElementChild.textContent = words;
    list.insertBefore(line, unit);
  });
  if (unit) unit.textContent = `单位：${answer.unit} · ${found.by} 级网格`;
}

async function draw() {
  if (!map || !map.isStyleLoaded && !map.getStyle()) return;
  if (asked) asked.abort();
  asked = new AbortController();
  if (!answer.api) {
    show({features: EMPTY, palette: 'quantity', classes: [], by: ''});
    return;
  }
  const box = map.getBounds();
  const part = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(5)).join(',');
  try {
    const found = await fetch(`${answer.api}${answer.draw === 'regions' ? '' : `&bbox=${part}`}`, {signal: asked.signal});
    if (!found.ok) throw new Error(String(found.status));
    show(await found.json());
  } catch (fault) {
    if (fault.name === 'AbortError') return;
    document.getElementById('heat-said').textContent = '没能取到地图上的数字，请移动一下地图再试，或看表格。';
  }
}

function tell(event) {
  const {value, code} = event.features[0].properties;
  const name = code ? answer.names[code] || '' : '这一格';
  const words = value === null || value === undefined ? answer.none : `${Number(value).toLocaleString('en', {maximumFractionDigits: 2})} ${answer.unit}`;
  document.getElementById('heat-said').textContent = `${name}：${words}`;
  document.querySelectorAll('.heat-table tr.lit').forEach((row) => row.classList.remove('lit'));
  const row = document.querySelector(`.heat-table tr[data-key="${code || event.features[0].properties.cell}"]`);
  if (row) row.classList.add('lit');
}

document.addEventListener('click', (event) => {
  const row = event.target.closest('tr[data-lon]');
  if (row && map) map.easeTo({center: [Number(row.dataset.lon), Number(row.dataset.lat)], zoom: Math.max(map.getZoom(), 13)});
});

async function start() {
  const [{openMap}, {offerMeasuring}] = await Promise.all([import('./desk-map.js'), import('./measure.js')]);
  const box = (answer.box || holder.dataset.bbox.split(',')).map(Number);
  map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 20, maxZoom: 14}});
  map.on('style.load', draw);
  map.on('moveend', () => { if (answer.draw !== 'regions') draw(); });
  let measuring = () => false;
  map.on('load', () => { measuring = offerMeasuring(map); });
  ['mousemove', 'click'].forEach((kind) => map.on(kind, 'heat', (event) => { if (answer.draw !== 'smooth' && !measuring()) tell(event); }));
}

if (document.documentElement.classList.contains('map-ready')) start();
