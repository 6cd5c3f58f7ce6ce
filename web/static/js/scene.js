// 二三维一体地图: white models and placed models on one map, the sun over them, and what a click measures. The view is in the address.
import {say} from './announce.js';
import {Naming} from './scene-building.js';
import {SightLine, betweenWords, seenAt, seenWords} from './scene-measure.js';
import {addNames, nameLayers, showNames} from './scene-names.js';
import {Near} from './scene-near.js';
import {mercatorOf, pixelOf, rayTo, unitsAt} from './scene-sight.js';
import {MOST_M, ShadeLayer, castOf} from './scene-shade.js';
import {styleLight, sunAt, sunWords, windOf} from './scene-sun.js';
import {addWhite, leaveOut, ringsWithin, showWhite, standsBetween, tintWhite} from './scene-white.js';
import {dark} from './scheme.js';

const holder = document.getElementById('scene-map');
const form = document.getElementById('scene-form');
const list = document.getElementById('scene-list');
const said = document.getElementById('scene-said');
const result = document.getElementById('scene-result');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const TILTED = 60;
const NEAR_TILT = 45; // one building is seen over its neighbours
const MIDDLE = [121.4737, 31.2304];
const SIDES = [0, 45, -45, 90, -90, 135, -135, 180];
const MINUTE = 60000;
const LOOK_MS = 300;
const MOST_WAIT_MS = 20000;
const ZONE = '+08:00'; // the city's own time, whatever the device shows
const WORDS = {loading: '正在载入', ready: '', slow: '网络慢，还在载入', partly: '有几块没有取到，其余照常', failed: '没有取到，请过一会儿再勾一次'};

const naming = new Naming(document.getElementById('scene-building'));
const around = new Near(holder.dataset.scenes, holder.dataset.draft);
let map = null;
let layer = null;
let making = null;
let shade = null;
let scenes = [];
let line = null;
let picked = [];

// The address: #v=zoom/lat/lon/bearing/tilt is the map's own; beside it the moment of the sun and what is off

const read = () => new URLSearchParams(window.location.hash.slice(1));

function keep(changes) {
  const kept = read();
  Object.entries(changes).forEach(([key, value]) => (value ? kept.set(key, value) : kept.delete(key)));
  const text = [...kept].map(([key, value]) => `${key}=${value}`).join('&');
  window.history.replaceState(window.history.state, '', `#${text}`);
}

const box = (name) => form.elements.namedItem(name);
const off = () => new Set((read().get('off') || '').split(',').filter(Boolean));

function keepOff(key, isOn) {
  const now = off();
  if (isOn) now.delete(key);
  else now.add(key);
  keep({off: [...now].join(',')});
}

// The sun

function moment() {
  const minutes = Number(box('time').value);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  return {clock, at: Date.parse(`${box('day').value}T${clock}:00${ZONE}`)};
}

function setMoment(at) {
  const local = new Date(at + 8 * 60 * MINUTE).toISOString();
  box('day').value = local.slice(0, 10);
  box('time').value = String(Number(local.slice(11, 13)) * 60 + Number(local.slice(14, 16)));
}

/** Now, or ten in the morning while it is too dark to see faces. */
function daylight() {
  const now = Date.now();
  if (sunAt(now, ...MIDDLE).altitude > 8) return now;
  const local = new Date(now + 8 * 60 * MINUTE).toISOString().slice(0, 10);
  return Date.parse(`${local}T10:00:00${ZONE}`);
}

function shine() {
  const {clock, at} = moment();
  if (Number.isNaN(at)) return;
  const sun = sunAt(at, ...(map ? map.getCenter().toArray() : MIDDLE));
  document.getElementById('scene-clock').textContent = clock;
  box('time').setAttribute('aria-valuetext', clock);
  document.getElementById('scene-sun').textContent = sunWords(sun);
  if (map && map.getLayer('white')) map.setLight(styleLight(sun));
  if (layer) layer.shine(sun);
  if (shade) shade.shine(sun);
  showShade(sun);
}

// Shadows: there only while they are asked for

function shadeWords(sun) {
  if (!box('shade').checked) return '';
  const cast = castOf(sun);
  if (!cast) return '没有影子。';
  if (!box('white').checked) return '白模关着，没有影子。';
  const [east, north] = cast;
  const length = Math.hypot(east, north);
  const towards = windOf((Math.atan2(east, north) * 180) / Math.PI);
  const cut = shade && shade.cut() ? `太阳低，影子最长只画到 ${MOST_M} 米。` : '';
  return `10 米高的影子长 ${(10 * length).toFixed(1)} 米，朝${towards}。${cut}`;
}

function showShade(sun) {
  document.getElementById('scene-shade').textContent = shadeWords(sun);
}

function drawShade() {
  const wants = box('shade').checked && box('white').checked;
  if (!wants) {
    if (shade && map.getLayer(shade.id)) map.removeLayer(shade.id);
    shade = null;
  } else if (!shade) {
    shade = new ShadeLayer(() => shine());
    hideUnder();
  }
  if (shade && !map.getLayer(shade.id) && map.getLayer('white')) map.addLayer(shade, 'white');
  shine();
}

// What is drawn

const kindOf = (scene) => (scene.kind === 'tileset' ? 'oblique' : 'single');

function wanted(scene) {
  const hidden = off();
  return !hidden.has(scene.key) && !hidden.has(kindOf(scene));
}

const near = (scene) => map.getZoom() >= scene.min_zoom;

async function layerOfScenes() {
  if (layer) return layer;
  if (!making) {
    making = import('./scene-layer.js').then(({SceneLayer}) => {
      layer = new SceneLayer(() => { showList(); hideUnder(); });
      layer.addTo(map, nameLayers(map)[0]);
      shine();
      return layer;
    });
    making.catch(() => {
      making = null;
      said.textContent = '三维模型的程序没有取到，先看白模。网络好了再勾一次。';
    });
  }
  return making;
}

function hideUnder() {
  const footprints = scenes.filter((scene) => layer && ['ready', 'partly'].includes(layer.stateOf(scene)) && scene.footprint).map((scene) => scene.footprint);
  leaveOut(map, footprints);
  if (shade) shade.leaveOut(ringsWithin(footprints).flat());
}

async function draw() {
  const shown = scenes.filter((scene) => wanted(scene) && near(scene));
  try {
    if (shown.length || layer) (await layerOfScenes()).show(shown);
  } catch (fault) {
    return; // said already; the white models go on
  }
  hideUnder();
  showList();
}

async function ask() {
  try {
    scenes = await around.of(map);
    said.textContent = '';
  } catch (fault) {
    if (fault.name === 'AbortError') return;
    said.textContent = '没能取到三维模型的清单，先看白模。移动一下地图再试。';
  }
  await draw();
}

function row(scene) {
  const item = document.createElement('li');
  const label = document.createElement('label');
  const input = document.createElement('input');
  const words = document.createElement('span');
  const more = document.createElement('span');
  const state = (layer && layer.stateOf(scene)) || '';
  label.className = 'scene-check';
  Object.assign(input, {type: 'checkbox', checked: wanted(scene)});
  input.dataset.scene = scene.key;
  words.textContent = scene.title;
  more.className = 'caption';
  const notes = [scene.draft && '还没有发布，只有能改它的人看得到', scene.kind === 'tileset' ? '倾斜摄影' : '单体模型', scene.source, scene.as_of, !near(scene) && '放大后显示', WORDS[state]];
  more.textContent = notes.filter(Boolean).join(' · ');
  item.dataset.state = state;
  label.append(input, words);
  item.append(label, more);
  const links = document.createElement('span');
  links.className = 'scene-links';
  const go = document.createElement('button');
  Object.assign(go, {type: 'button', className: 'button quiet', textContent: '飞到这里'});
  go.dataset.go = scene.key;
  links.append(go);
  if (scene.twin) {
    const twin = document.createElement('a');
    Object.assign(twin, {href: scene.twin + window.location.hash, className: 'button quiet', textContent: '进入数字孪生'});
    links.append(twin);
  }
  item.append(links);
  return item;
}

/** The models in view; the row that holds the focus keeps it. */
function showList() {
  const held = list.contains(document.activeElement) ? document.activeElement : null;
  const mark = held && (held.dataset.scene ? `[data-scene="${held.dataset.scene}"]` : held.dataset.go && `[data-go="${held.dataset.go}"]`);
  list.replaceChildren(...scenes.map(row));
  if (mark && list.querySelector(mark)) list.querySelector(mark).focus({preventScroll: true});
  document.getElementById('scene-none').hidden = scenes.length > 0;
}

// The view

function tilt(to) {
  map.easeTo({pitch: Math.max(0, Math.min(map.getMaxPitch(), to)), duration: still.matches ? 0 : 300});
}

const VIEWS = {
  flat: () => map.easeTo({pitch: 0, bearing: 0, duration: still.matches ? 0 : 300}),
  tilted: () => tilt(TILTED),
  raise: () => tilt(map.getPitch() - 15),
  lower: () => tilt(map.getPitch() + 15),
  left: () => map.easeTo({bearing: map.getBearing() + 30, duration: still.matches ? 0 : 300}),
  right: () => map.easeTo({bearing: map.getBearing() - 30, duration: still.matches ? 0 : 300}),
  north: () => map.easeTo({bearing: 0, duration: still.matches ? 0 : 300}),
};

function showView() {
  const tilted = map.getPitch() > 1;
  document.querySelectorAll('[data-view-as]').forEach((button) => {
    if (button.dataset.viewAs === 'flat') button.setAttribute('aria-pressed', String(!tilted));
    if (button.dataset.viewAs === 'tilted') button.setAttribute('aria-pressed', String(tilted));
  });
  document.getElementById('scene-view').textContent = `倾斜 ${Math.round(map.getPitch())}°，朝向 ${(Math.round(map.getBearing()) + 360) % 360}°`;
}

// Clicks

const measures = () => form.querySelector('[name=click]:checked').value === 'measure';

function pick(pixel) {
  const seen = seenAt(map, layer, pixel);
  if (!measures() || !seen) {
    picked = seen ? [seen] : [];
    tell(seenWords(seen));
    naming.tell(seen);
    return;
  }
  picked = picked.length > 1 ? [seen] : [...picked, seen];
  showMeasured();
}

function showMeasured() {
  if (picked.length > 1) tell(betweenWords(...picked));
  else if (picked.length) tell([`第一个点离地 ${picked[0].height.toFixed(1)} 米`, '再点第二个点。']);
  else tell([measures() ? '点第一个点，或把它移到正中按“在正中加一点”。' : '点建筑、模型或地面，看高度和位置。']);
}

function tell(lines) {
  result.replaceChildren(...lines.map((words) => Object.assign(document.createElement('span'), {textContent: words})));
  line.set(picked);
  document.querySelectorAll('[data-needs-point]').forEach((button) => { button.disabled = !picked.length; });
}

const ACTS = {
  middle: () => pick({x: holder.clientWidth / 2, y: holder.clientHeight / 2}),
  undo: () => { picked = picked.slice(0, -1); naming.close(); showMeasured(); },
  clear: () => { picked = []; naming.close(); showMeasured(); },
};

function onKey(event) {
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.closest('details[open]')) return;
  if (event.key === 'Escape' && picked.length) ACTS.clear();
  else if (event.key === 'Backspace' && picked.length) ACTS.undo();
  else if (event.key === 'Enter' && event.target.classList.contains('maplibregl-canvas')) ACTS.middle();
  else return;
  event.preventDefault();
}

// The page

function onForm({target}) {
  if (target.name === 'white') { showWhite(map, target.checked); keepOff('white', target.checked); drawShade(); }
  if (target.name === 'names') { showNames(map, target.checked); keepOff('names', target.checked); }
  if (target.name === 'shade') { keep({shade: target.checked ? '1' : ''}); drawShade(); }
  if (target.name === 'tint') { tintWhite(map, target.checked); keep({tint: target.checked ? '1' : ''}); showTint(); }
  if (target.name === 'oblique' || target.name === 'single') { keepOff(target.name, target.checked); draw(); }
  if (target.dataset.scene) switchOne(scenes.find((scene) => scene.key === target.dataset.scene), target.checked);
  if (target.name === 'day' || target.name === 'time') { shine(); keep({t: `${box('day').value}T${moment().clock}`}); }
  if (target.name === 'click') ACTS.clear();
}

/** A model that is switched on brings its kind back, and no other of it that was off. */
function switchOne(scene, isOn) {
  const kind = kindOf(scene);
  keepOff(scene.key, isOn);
  if (isOn && !box(kind).checked) {
    scenes.filter((other) => other !== scene && kindOf(other) === kind).forEach((other) => keepOff(other.key, false));
    box(kind).checked = true;
    keepOff(kind, true);
  }
  draw();
}

function showTint() {
  document.getElementById('scene-steps').hidden = !box('tint').checked;
  document.getElementById('scene-plain').hidden = box('tint').checked;
}

function onPress(event) {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.viewAs) VIEWS[button.dataset.viewAs]();
  if (button.dataset.act) ACTS[button.dataset.act]();
  if (button.dataset.go) goTo(scenes.find((scene) => scene.key === button.dataset.go));
  if (button.dataset.now !== undefined) { setMoment(Date.now()); keep({t: ''}); shine(); }
}

function goTo(scene) {
  const [west, south, east, north] = scene.box;
  const pitch = scene.kind === 'model' ? NEAR_TILT : TILTED;
  const camera = map.cameraForBounds([[west, south], [east, north]], {padding: 48, maxZoom: 18.5, pitch, bearing: map.getBearing()});
  holder.scrollIntoView({block: 'nearest'});
  map.flyTo({center: camera.center, zoom: Math.max(camera.zoom, scene.min_zoom), pitch, duration: still.matches ? 0 : 900});
  map.once('idle', () => turnFree(scene));
}

/** Turn to where no white model stands before what was flown to, if there is such a side. */
function turnFree({lon, lat, heights}) {
  const point = [...mercatorOf([lon, lat]), heights[1] * unitsAt(lat)[2]];
  const seen = pixelOf(map, point);
  if (!box('white').checked || !seen || Math.hypot(seen.x - holder.clientWidth / 2, seen.y - holder.clientHeight / 2) > holder.clientHeight / 2) return;
  const free = SIDES.map((turn) => map.getBearing() + turn).find((bearing) => !standsBetween(map, rayTo(map, bearing, point)));
  if (free !== undefined && free !== map.getBearing()) map.easeTo({bearing: free, duration: still.matches ? 0 : 600});
}

/** What lies on the style: anew after each change of it. */
function dress(drawn) {
  addNames(drawn, box('names').checked);
  addWhite(drawn, {byHeight: box('tint').checked, zooms: holder.dataset.white.split(',').map(Number), before: nameLayers(drawn)[0]});
  showWhite(drawn, box('white').checked);
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  drawn.setSky({'sky-color': token('--accent-soft'), 'horizon-color': token('--bg'), 'fog-color': token('--bg'), 'sky-horizon-blend': 0.6, 'horizon-fog-blend': 0.6, 'fog-ground-blend': 0.9});
}

function onStyle() {
  dress(map);
  if (layer) layer.addTo(map, nameLayers(map)[0]);
  drawShade();
  draw();
}

/** A picture is drawn on a map of its own: it gets the same models and light, and is taken once they stand. */
async function dressPicture(copy) {
  const sun = sunAt(moment().at, ...map.getCenter().toArray());
  if (shade) {
    const cast = new ShadeLayer();
    cast.take(shade.sides);
    cast.shine(sun);
    copy.addLayer(cast, 'white');
  }
  if (!layer) return;
  const {SceneLayer} = await import('./scene-layer.js');
  const own = new SceneLayer(() => {});
  own.shine(sun);
  own.addTo(copy, nameLayers(copy)[0]);
  own.show(scenes.filter((scene) => ['ready', 'partly'].includes(layer.stateOf(scene))));
  for (let waited = 0; waited < MOST_WAIT_MS; waited += LOOK_MS) {
    copy.triggerRepaint();
    await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
    if (!own.busy()) return;
  }
}

function recall() {
  const kept = read();
  const hidden = off();
  ['white', 'names', 'oblique', 'single'].forEach((name) => { box(name).checked = !hidden.has(name); });
  ['tint', 'shade'].forEach((name) => { box(name).checked = kept.get(name) === '1'; });
  const at = Date.parse(`${kept.get('t')}:00${ZONE}`);
  setMoment(Number.isNaN(at) ? daylight() : at);
  showTint();
  shine();
}

function begin() {
  const [west, south, east, north] = (holder.dataset.box || '').split(',').map(Number);
  if (read().has('v')) return {};
  if (east > west) return {bounds: [[west, south], [east, north]], fitBoundsOptions: {padding: 48, maxZoom: 17.5, pitch: TILTED}, pitch: TILTED};
  return {center: MIDDLE, zoom: 15.5, pitch: TILTED, bearing: -20};
}

async function start() {
  recall();
  const {openMap} = await import('./desk-map.js');
  map = await openMap(holder, {
    ...begin(), maxPitch: 75, hash: 'v', dragRotate: true, pitchWithRotate: true, touchPitch: true,
    canvasContextAttributes: {antialias: true, powerPreference: 'high-performance'},
  });
  map.touchZoomRotate.enableRotation();
  map.dressPicture = dressPicture;
  line = new SightLine(map, document.getElementById('scene-sight'));
  map.on('style.load', onStyle);
  map.on('load', ask);
  map.on('moveend', () => { showView(); ask(); if (shade) shade.stale = true; });
  map.on('sourcedata', ({sourceId, tile}) => { if (shade && tile && sourceId === 'buildings') shade.stale = true; });
  map.on('idle', () => { if (shade) shade.follow(); });
  map.on('click', ({point}) => pick(point));
  map.on('webglcontextlost', () => { said.textContent = '显卡忙，三维画面停了一下，正在恢复。列表照常。'; });
  map.on('webglcontextrestored', () => { said.textContent = ''; });
  dark.addEventListener('change', () => tintWhite(map, box('tint').checked));
  showView();
  showMeasured();
  form.addEventListener('change', onForm);
  box('time').addEventListener('input', shine);
  document.addEventListener('click', onPress);
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', () => { recall(); dress(map); showNames(map, box('names').checked); tintWhite(map, box('tint').checked); drawShade(); draw(); });
  say('三维地图打开了');
}

if (document.documentElement.classList.contains('map-ready')) {
  start().catch(() => { said.textContent = '三维地图没有打开。请刷新一次；还不行，可以回到找服务的平面地图。'; });
}
