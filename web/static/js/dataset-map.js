// A dataset at work: the draft on the map, drawn with snapping; table and form are those of the page, exchanged without leaving the map.
import {maplibre, openMap} from './desk-map.js';
import {say} from './announce.js';
import {measuredWords} from './measure.js';
import {Corners, Sketch, Snapping} from './plan-editing.js';
import {EMPTY, boundsOf, collection, feature, token} from './plan-shapes.js';

const holder = document.getElementById('dataset-map');
const page = holder.dataset.page;
const kind = holder.dataset.geometry;
const editable = holder.dataset.edit === 'yes';
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const PARTS = ['dataset-bar', 'dataset-rows', 'dataset-form'];
const HINTS = {
  draw: {point: '点一下地图放一个点。', line: '一个点一个点地点，双击结束。', polygon: '一个角一个角地点，点回第一个角就画好了。'}[kind],
  edit: {point: '拖动图钉；选中后方向键移动 1 米。', line: '拖动圆点；小点是加一个点；选中圆点按 Delete 删除，方向键移动 1 米。', polygon: '拖动圆点；小点是加一个角；选中圆点按 Delete 删除，方向键移动 1 米。'}[kind],
  measure: '点两个以上的点量距离，双击结束。',
};
const state = {tool: 'choose', drawn: null, tiles: ''};
let map = null;
let snapping = null;
let sketch = null;
let corners = null;
let pin = null;

const now = () => document.getElementById('dataset-now').dataset;
const chosen = () => JSON.parse(document.getElementById('dataset-chosen').textContent);
const fields = () => document.querySelector('[data-fields]');
const unsavedKey = () => `unsaved ${page} ${now().chosen}`;

function hint(words) {
  document.getElementById('dataset-hint').textContent = words || '';
}

function lost(words) {
  const line = document.getElementById('dataset-lost');
  line.textContent = words || '';
  line.hidden = !words;
}

// The page: its parts are exchanged, the map stays

function exchange(text, address) {
  const next = new DOMParser().parseFromString(text, 'text/html');
  if (!next.getElementById('dataset-now')) { window.location.assign(address); return; }
  PARTS.forEach((part) => document.getElementById(part).replaceWith(document.importNode(next.getElementById(part), true)));
  history.replaceState(null, '', address);
  lost('');
  stopAll();
  press('choose');
  state.tool = 'choose';
  const toast = document.querySelector('.dataset-toast p, #dataset-fault p');
  if (toast) say(toast.textContent);
  restore();
  draw();
}

async function load(address) {
  try {
    const answer = await fetch(address, {headers: {Accept: 'text/html'}});
    exchange(await answer.text(), answer.url);
  } catch (fault) {
    lost('没有打开：网络断了。请稍后再试，填的内容还在。');
  }
}

async function send(form, submitter) {
  const body = new FormData(form);
  if (submitter && submitter.name) body.append(submitter.name, submitter.value);
  const key = unsavedKey();
  try {
    const answer = await fetch(page, {method: 'POST', body, headers: {Accept: 'text/html'}});
    const saved = answer.ok;
    if (saved && form.matches('[data-fields]')) sessionStorage.removeItem(key);
    exchange(await answer.text(), saved ? answer.url : `${page}?feature=${now().chosen}`);
  } catch (fault) {
    lost('没有保存：网络断了。填的内容还在，网络恢复后再点一次保存。');
  }
}

/** Keep what is typed in this browser's tab until it is saved, and put it back when the form is opened again. */
function keep() {
  const form = fields();
  if (!form || !editable) return;
  const typed = [...new FormData(form)].filter(([name]) => /^(a-|lon$|lat$|address$|wkt$|shape$)/.test(name));
  sessionStorage.setItem(unsavedKey(), JSON.stringify(typed));
}

function restore() {
  const form = fields();
  const kept = form && editable && sessionStorage.getItem(unsavedKey());
  state.drawn = null;
  if (!kept) return;
  if (document.getElementById('dataset-fault')) { takeDrawn(form); return; }
  let differs = false;
  JSON.parse(kept).forEach(([name, value]) => {
    const field = form.elements[name];
    if (field && field.value !== value) { field.value = value; differs = true; }
  });
  takeDrawn(form);
  if (differs) hint('恢复了上次没有保存的内容。');
}

function takeDrawn(form) {
  try {
    state.drawn = form.elements.shape.value ? JSON.parse(form.elements.shape.value) : null;
  } catch (fault) {
    state.drawn = null;
  }
}

/** Put what was drawn into the form; it is saved with it. */
function drawnNow(geometry, settled = true) {
  state.drawn = geometry;
  const form = fields();
  form.elements.shape.value = JSON.stringify(geometry);
  if (kind === 'point' && geometry) {
    form.elements.lon.value = geometry.coordinates[0].toFixed(7);
    form.elements.lat.value = geometry.coordinates[1].toFixed(7);
  }
  draw();
  if (settled) {
    keep();
    hint('图形在表单里，点“保存”或“新增”才写入。');
  }
}

// What is drawn

function layers() {
  const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
  const below = first && first.id;
  const ink = token('--category-1');
  const round = {'line-join': 'round', 'line-cap': 'round'};
  state.tiles = tiles();
  map.addSource('draft', {type: 'vector', tiles: [state.tiles], maxzoom: 16});
  map.addSource('chosen', {type: 'geojson', data: EMPTY});
  map.addSource('sketch', {type: 'geojson', data: EMPTY});
  const draft = {source: 'draft', 'source-layer': holder.dataset.key};
  if (kind === 'polygon') map.addLayer({id: 'draft', type: 'fill', ...draft, paint: {'fill-color': ink, 'fill-opacity': 0.12}}, below);
  if (kind !== 'point') map.addLayer({id: 'draft-line', type: 'line', ...draft, layout: round, paint: {'line-color': ink, 'line-width': kind === 'line' ? 3 : 1.8}}, below);
  if (kind === 'point') map.addLayer({id: 'draft-spot', type: 'circle', ...draft, paint: {'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 2.5, 15, 6], 'circle-color': ink, 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.4}});
  if (kind === 'polygon') map.addLayer({id: 'chosen', type: 'fill', source: 'chosen', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
  if (kind !== 'point') map.addLayer({id: 'chosen-line', type: 'line', source: 'chosen', layout: round, paint: {'line-color': token('--accent'), 'line-width': 3.4}});
  if (kind === 'point') map.addLayer({id: 'chosen-spot', type: 'circle', source: 'chosen', paint: {'circle-radius': 9, 'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 3}});
  map.addLayer({id: 'sketch', type: 'fill', source: 'sketch', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
  map.addLayer({id: 'sketch-line', type: 'line', source: 'sketch', filter: ['!=', ['geometry-type'], 'Point'], layout: round, paint: {'line-color': token('--accent'), 'line-width': 3}});
  map.addLayer({id: 'sketch-points', type: 'circle', source: 'sketch', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 5, 'circle-color': token('--surface'), 'circle-stroke-color': token('--accent'), 'circle-stroke-width': 2.4}});
  draw();
}

const tiles = () => `${window.location.origin}${page}/draft/${now().revision}/{z}/{x}/{y}.mvt`;

function draw() {
  if (!map.getSource('draft')) return;
  if (state.tiles !== tiles()) map.getSource('draft').setTiles([tiles()]);
  state.tiles = tiles();
  const geometry = state.drawn || chosen().geometry;
  map.getSource('chosen').setData(geometry && !pin ? collection([feature(geometry)]) : EMPTY);
  holder.dataset.revision = now().revision;
}

function fly() {
  const {geometry} = chosen();
  if (!geometry) return;
  const bounds = boundsOf(geometry);
  const seen = map.getBounds();
  if (map.getZoom() > 14 && seen.contains(bounds.getNorthEast()) && seen.contains(bounds.getSouthWest())) return;
  map.fitBounds(bounds, {padding: 70, maxZoom: 17, duration: still.matches ? 0 : 300});
}

// Tools

function press(tool) {
  document.querySelectorAll('.dataset-tools [data-tool]').forEach((button) => {
    if (button.dataset.tool !== 'snap') button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  });
}

function stopAll() {
  if (sketch) { sketch.stop(); sketch = null; }
  if (corners) { corners.stop(); corners = null; }
  if (pin) { pin.remove(); pin = null; }
  document.getElementById('dataset-sketch').hidden = true;
  if (map && map.getSource('sketch')) map.getSource('sketch').setData(EMPTY);
}

async function use(tool) {
  if (tool === 'snap') {
    snapping.on = !snapping.on;
    document.querySelector('[data-tool="snap"]').setAttribute('aria-pressed', String(snapping.on));
    hint(snapping.on ? '吸附开：靠近道路和别的要素时自动对齐。' : '吸附关。');
    return;
  }
  stopAll();
  if (tool === 'draw' && now().chosen !== '0') await load(page);
  if (tool === 'edit' && !(state.drawn || chosen().geometry)) { hint('先在地图或列表里选一个要素。'); press('choose'); return; }
  state.tool = tool;
  press(tool);
  hint(HINTS[tool] || '');
  if (tool === 'edit') beginEdit();
  if (tool === 'draw' || tool === 'measure') beginSketch(tool);
  draw();
}

function beginEdit() {
  const geometry = state.drawn || chosen().geometry;
  if (kind !== 'point') {
    corners = new Corners(map, snapping, geometry, (changed, settled) => drawnNow(changed, settled));
    if (!corners.markers.length) hint('顶点太多，请放大地图再改。');
    return;
  }
  const node = document.createElement('button');
  node.type = 'button';
  node.className = 'plan-corner';
  node.setAttribute('aria-label', '点的位置，方向键移动 1 米');
  pin = new maplibre.Marker({element: node, draggable: true}).setLngLat(geometry.coordinates).addTo(map);
  const moved = ([lon, lat]) => { pin.setLngLat([lon, lat]); drawnNow({type: 'Point', coordinates: [lon, lat]}); };
  pin.on('dragend', () => { const {lng, lat} = pin.getLngLat(); moved([lng, lat]); });
  node.addEventListener('keydown', (event) => {
    const step = {ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]}[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const {lng, lat} = pin.getLngLat();
    const metre = (event.shiftKey ? 10 : 1) / 111195;
    moved([lng + (step[0] * metre) / Math.cos((lat * Math.PI) / 180), lat + step[1] * metre]);
  });
}

const ringOf = (points) => ({type: 'Polygon', coordinates: [[...points, points[0]]]});

function beginSketch(tool) {
  const closes = tool === 'draw' && kind === 'polygon';
  const spot = tool === 'draw' && kind === 'point';
  document.getElementById('dataset-sketch').hidden = false;
  sketch = new Sketch(map, snapping, {
    closes,
    changed(points, moving) {
      if (spot && points.length) {
        stopAll();
        press('choose');
        state.tool = 'choose';
        drawnNow({type: 'Point', coordinates: points[0].slice(0, 2)});
        focusForm();
        return;
      }
      const line = moving ? [...points, moving] : points;
      const features = points.map((point) => feature({type: 'Point', coordinates: point}));
      if (line.length > 1) features.push(feature({type: 'LineString', coordinates: line}));
      if (closes && line.length > 2) features.push(feature(ringOf(line)));
      map.getSource('sketch').setData(collection(features));
      if (tool === 'measure' && line.length > 1) hint(measuredWords(line, holder.dataset.plane));
    },
    done: (points) => {
      sketch = null;
      document.getElementById('dataset-sketch').hidden = true;
      if (tool === 'measure') { use('measure'); return; }
      map.getSource('sketch').setData(EMPTY);
      press('choose');
      state.tool = 'choose';
      drawnNow(closes ? ringOf(points) : {type: 'LineString', coordinates: points});
      focusForm();
    },
    cancelled: () => { stopAll(); use('choose'); },
  });
}

function focusForm() {
  const first = fields().querySelector('.input:not([disabled]), .select');
  if (first) first.focus();
}

let nearest = 0;
async function snapNear() {
  if (!editable || map.getZoom() < 14) return;
  nearest += 1;
  const mine = nearest;
  const box = map.getBounds();
  const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(6)).join(',');
  try {
    const answer = await fetch(`${page}/near.json?bbox=${bbox}`, {headers: {Accept: 'application/json'}});
    if (!answer.ok || mine !== nearest) return;
    const found = await answer.json();
    Object.entries(found).forEach(([name, each]) => snapping.keep(name, each.features));
  } catch (fault) {
    snapping.keep('roads', []);
  }
}

// What people do

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.matches('[data-dataset-form]')) {
    event.preventDefault();
    send(form, event.submitter);
  } else if (form.matches('[data-find]')) {
    event.preventDefault();
    load(`${page}?q=${encodeURIComponent(form.elements.q.value)}`);
  }
});

document.addEventListener('input', (event) => {
  if (!event.target.closest('[data-fields]')) return;
  if (['lon', 'lat', 'address', 'wkt'].includes(event.target.name)) fields().elements.shape.value = '';
  keep();
});

document.addEventListener('click', async (event) => {
  const go = event.target.closest('[data-go]');
  const tool = event.target.closest('[data-tool]');
  const step = event.target.closest('[data-sketch]');
  if (go && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    if (go.textContent.trim() === '取消') sessionStorage.removeItem(unsavedKey());
    await load(go.href);
    if (go.dataset.feature) fly();
  } else if (tool) use(tool.dataset.tool);
  else if (step && sketch) ({add: () => sketch.addInTheMiddle(), back: () => sketch.back(), done: () => sketch.finish(), cancel: () => sketch.cancel()})[step.dataset.sketch]();
});

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select');
  if (event.key === 'Escape' && sketch) { sketch.cancel(); return; }
  if (event.key === 'Enter' && sketch && !typing && !event.target.closest('button')) { sketch.finish(); return; }
  if (typing || !editable) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') {
    event.preventDefault();
    const button = document.querySelector(`[data-step="${event.shiftKey ? 'redo' : 'undo'}"]`);
    if (button && !button.disabled) button.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tool = document.querySelector(`.dataset-tools [aria-keyshortcuts="${event.key.toUpperCase()}"]`);
  if (tool) tool.click();
});

async function start() {
  const box = holder.dataset.box.split(',').map(Number);
  map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 60, maxZoom: 16}});
  snapping = new Snapping(map);
  map.on('style.load', layers);
  map.on('moveend', snapNear);
  map.on('load', () => { fly(); snapNear(); });
  restore();
  map.on('click', async ({point}) => {
    if (sketch || corners || pin) return;
    const around = [[point.x - 5, point.y - 5], [point.x + 5, point.y + 5]];
    const drawn = ['draft', 'draft-line', 'draft-spot'].filter((id) => map.getLayer(id));
    const [found] = map.queryRenderedFeatures(around, {layers: drawn});
    if (found) await load(`${page}?feature=${found.properties.number}`);
  });
}

start();
