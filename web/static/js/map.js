// The map: draws the answer of the list on our own tiles, and asks back what is under a finger.
import * as maplibre from '../vendor/maplibre-gl.mjs';
import {answer, cardPlace, onAnswer, onCard, question, showCard, way} from './answer.js';
import {offerBases, recallBase, styleOf} from './basemaps.js';
import {onHover, light, select} from './list.js';
import {startCircling} from './circling.js';
import {isSaved, onSavedChange} from './favourites.js';
import {startMeasuring} from './measure.js';
import {offerPicture} from './picture.js';
import {followScale} from './scale.js';
import {dark} from './scheme.js';
import {onSheet, sheetStop} from './sheet.js';

const holder = document.getElementById('map');
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const DROP = 'M14 1.2c-6.9 0-12.4 5.4-12.4 12.2C1.6 21.6 14 33 14 33s12.4-11.4 12.4-19.6C26.4 6.6 20.9 1.2 14 1.2z';
const WORLD = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];
const EMPTY = {type: 'FeatureCollection', features: []};

let map = null;
let pins = new Map();
let marks = [];
let labels = [];
let drawn = '';
let scattered = null;
let goal = null;
let tools = [];

function styleName() {
  return holder.dataset.style || (dark.matches ? 'dark' : 'light');
}

/** A colour of the page's own tokens, so that map and list never drift apart. */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function feature(geometry, properties = {}) {
  return {type: 'Feature', geometry, properties};
}

function polygonsOf(geometry) {
  return geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
}

function boundsOf(found) {
  const bounds = new maplibre.LngLatBounds();
  (found.bands || []).slice(-1).forEach((band) => {
    polygonsOf(band.geometry).forEach((rings) => rings[0].forEach((point) => bounds.extend(point)));
  });
  (found.places || []).forEach((place) => bounds.extend([place.lon, place.lat]));
  if (way()) way().line.forEach((point) => bounds.extend(point));
  if (bounds.isEmpty() && found.origin) {
    bounds.extend([found.origin.lon - 0.01, found.origin.lat - 0.008]);
    bounds.extend([found.origin.lon + 0.01, found.origin.lat + 0.008]);
  }
  return bounds;
}

/** The part of the map that nothing covers: the sheet on a phone, the card on a desk. */
function padding() {
  const card = document.getElementById('card');
  if (window.innerWidth <= 640 && !card.hidden) return {top: 164, left: 32, right: 32, bottom: card.offsetHeight + 80};
  if (window.innerWidth <= 640) {
    const share = {peek: 0.25, half: 0.5, full: 0.5}[sheetStop()];
    const buttons = document.querySelector('.map-controls');
    return {top: 124, left: 24, right: (buttons ? buttons.offsetWidth : 0) + 24, bottom: Math.round(holder.clientHeight * share) + 84};
  }
  return {top: 70, left: 40, bottom: 80, right: card.hidden ? 90 : 400};
}

function addData() {
  const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
  const before = first && first.id;
  const geojson = {type: 'geojson', data: EMPTY};
  ['dim', 'bands', 'outer', 'way'].forEach((name) => map.addSource(name, geojson));
  map.addLayer({id: 'dim', type: 'fill', source: 'dim', paint: {'fill-color': token('--bg'), 'fill-opacity': 0.34}}, before);
  map.addLayer({id: 'bands', type: 'fill', source: 'bands', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.13, 'fill-antialias': false}}, before);
  map.addLayer({id: 'outer-casing', type: 'line', source: 'outer', layout: {'line-join': 'round'}, paint: {'line-color': token('--pin-ring'), 'line-width': 4.5}}, before);
  map.addLayer({id: 'outer', type: 'line', source: 'outer', layout: {'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 2.2}}, before);
  map.addLayer({id: 'inner', type: 'line', source: 'bands', filter: ['!', ['get', 'outer']], paint: {'line-color': token('--accent'), 'line-width': 1.1, 'line-dasharray': [3, 2.5]}}, before);
  addWay(before);
  addScatter();
}

// The way to the place of the open card: dots of ink on a pale ribbon

function addWay(before) {
  const round = {'line-join': 'round', 'line-cap': 'round'};
  map.addLayer({id: 'way-casing', type: 'line', source: 'way', layout: round, paint: {'line-color': token('--pin-ring'), 'line-width': 8}}, before);
  map.addLayer({id: 'way', type: 'line', source: 'way', layout: round, paint: {'line-color': token('--ink'), 'line-width': 3.4, 'line-dasharray': [0, 1.9]}}, before);
}

function drawWay() {
  const found = way();
  if (goal) goal.remove();
  goal = null;
  map.getSource('way').setData(found ? feature({type: 'LineString', coordinates: found.line}, {place: found.place}) : EMPTY);
  if (found && !pins.has(String(found.place))) {
    goal = dropAt(found.line[found.line.length - 1]); // beyond the circle: it has no rank, but the way must end somewhere
  }
}

/** The pin of the open card is the selected one, and nothing that belongs to it lies under the card. */
function onNewCard() {
  if (!map.getSource('way')) return;
  drawWay();
  const id = cardPlace();
  pins.forEach((marker, key) => marker.getElement().classList.toggle('selected', key === id));
  uncover();
}

function uncover() {
  const found = way();
  const free = padding();
  if (!found) return;
  const hidden = found.line.some((point) => {
    const at = map.project(point);
    return at.x < free.left || at.y < free.top || at.x > holder.clientWidth - free.right || at.y > holder.clientHeight - free.bottom;
  });
  if (!hidden) return;
  const bounds = new maplibre.LngLatBounds();
  found.line.forEach((point) => bounds.extend(point));
  map.fitBounds(bounds, {padding: free, maxZoom: map.getZoom(), duration: still.matches ? 0 : 300});
}

// Scattered points: every facility of the chosen groups, counted together from afar.

function scatterWords() {
  const ticked = Array.from(document.querySelectorAll('#scatter input:checked')).map((input) => input.value);
  const found = answer();
  if (ticked.length) return ticked;
  return found && !found.places ? [found.kinds] : [];
}

function addScatter() {
  if (!map.getSource('bands')) return;
  const words = scatterWords();
  const key = words.join(',');
  if (scattered === key && map.getSource('scatter')) return;
  ['cluster-count', 'clusters', 'points'].forEach((id) => { if (map.getLayer(id)) map.removeLayer(id); });
  if (map.getSource('scatter')) map.removeSource('scatter');
  scattered = key;
  if (!words.length) return;
  map.addSource('scatter', {
    type: 'vector',
    tiles: [`${window.location.origin}/tiles/places/{z}/{x}/{y}.mvt?kinds=${encodeURIComponent(key)}`],
    maxzoom: 16,
  });
  const from = {source: 'scatter', 'source-layer': 'places'};
  const many = ['>', ['coalesce', ['get', 'count'], 1], 1];
  map.addLayer({id: 'points', type: 'circle', ...from, filter: ['!', many], paint: {'circle-radius': 6.5, 'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 2}});
  map.addLayer({id: 'clusters', type: 'circle', ...from, filter: many, paint: {
    'circle-radius': ['interpolate', ['linear'], ['get', 'count'], 2, 13, 20, 17, 200, 22, 2000, 27],
    'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 2}});
  map.addLayer({id: 'cluster-count', type: 'symbol', ...from, filter: many, layout: {'text-field': ['to-string', ['get', 'count']], 'text-size': 13, 'text-font': ['sans-serif'], 'text-allow-overlap': true}, paint: {'text-color': token('--on-accent')}});
}

// The answer: bands, origin, numbered pins

// Where each band is labelled, seen from its middle: the outer to the upper right, the inner ones turned on.
const TOWARDS = [[0.6, 1], [1, 0.2], [-0.3, -1]];

function bandLabel(band, depth) {
  const [dx, dy] = TOWARDS[depth % TOWARDS.length];
  let best = null;
  polygonsOf(band.geometry).forEach((rings) => rings[0].forEach((point) => {
    if (!best || point[0] * dx + point[1] * dy > best[0] * dx + best[1] * dy) best = point;
  }));
  const node = document.createElement('span');
  node.className = depth ? 'band-label inner' : 'band-label';
  node.textContent = `${band.minutes} 分`;
  return new maplibre.Marker({element: node}).setLngLat(best);
}

/** A label that would lie on another one steps back; the outer one is kept. */
function thinLabels() {
  const kept = [];
  labels.forEach((marker) => {
    const at = map.project(marker.getLngLat());
    const crowded = kept.some((other) => Math.abs(other.x - at.x) < 52 && Math.abs(other.y - at.y) < 24);
    marker.getElement().classList.toggle('crowded', crowded);
    if (!crowded) kept.push(at);
  });
}

/** A favourite's pin bears a star, a recommended one the word 荐, and both are said. */
function paintPin(node, place) {
  const saved = isSaved(place.id);
  node.classList.toggle('saved', saved);
  const words = [`第 ${place.rank} 名`, place.name, place.recommended && '推荐', saved && '已收藏'];
  node.setAttribute('aria-label', words.filter(Boolean).join('，'));
}

function pinOf(place, chosen) {
  const node = document.createElement('button');
  node.type = 'button';
  node.tabIndex = -1; // the list is the way by keyboard; a hundred stops on the way to it would not be
  node.className = 'pin';
  node.classList.toggle('quiet', place.quiet);
  node.classList.toggle('recommended', Boolean(place.recommended));
  node.classList.toggle('selected', place.id === chosen);
  node.title = place.name;
  node.dataset.id = String(place.id);
  node.dataset.rank = String(place.rank);
  node.innerHTML = `<svg viewBox="0 0 28 34" aria-hidden="true"><path d="${DROP}"></path></svg><b></b>`;
  node.querySelector('b').textContent = String(place.rank);
  paintPin(node, place);
  node.addEventListener('click', (event) => {
    event.stopPropagation();
    select(place.id);
  });
  node.addEventListener('mouseenter', () => lightBoth(String(place.id)));
  node.addEventListener('mouseleave', () => lightBoth(null));
  return new maplibre.Marker({element: node, anchor: 'bottom'}).setLngLat([place.lon, place.lat]);
}

/** A pin without a rank. */
function dropAt(point) {
  const node = document.createElement('span');
  node.className = 'pin selected';
  node.innerHTML = `<svg viewBox="0 0 28 34" aria-hidden="true"><path d="${DROP}"></path><circle cx="14" cy="13" r="4.5"></circle></svg>`;
  return new maplibre.Marker({element: node, anchor: 'bottom'}).setLngLat(point).addTo(map);
}

function lightPins(id) {
  pins.forEach((marker, key) => marker.getElement().classList.toggle('lit', key === id));
}

function lightBoth(id) {
  light(id);
  lightPins(id);
}

function clearMarks() {
  marks.concat(labels, Array.from(pins.values())).forEach((marker) => marker.remove());
  marks = [];
  pins = new Map();
}

function drawAnswer(found, {fit = true} = {}) {
  clearMarks();
  const bands = (found && found.bands) || [];
  const outer = bands[bands.length - 1];
  map.getSource('bands').setData({type: 'FeatureCollection', features: bands.map((band) => feature(band.geometry, {minutes: band.minutes, outer: band === outer}))});
  map.getSource('outer').setData(outer ? feature(outer.geometry) : EMPTY);
  map.getSource('dim').setData(outer ? feature({type: 'Polygon', coordinates: [WORLD].concat(polygonsOf(outer.geometry).map((rings) => rings[0]))}) : EMPTY);
  labels = bands.slice().reverse().map((band, depth) => bandLabel(band, depth).addTo(map));
  if (found && found.origin) {
    const node = document.createElement('span');
    node.className = 'origin';
    node.append(document.createElement('i'));
    marks.push(new maplibre.Marker({element: node}).setLngLat([found.origin.lon, found.origin.lat]).addTo(map));
  }
  // The last is drawn on top: the best ranks, and above all the selected one.
  const places = ((found && found.places) || []).slice().reverse();
  places.sort((a, b) => (a.id === found.selected) - (b.id === found.selected));
  places.forEach((place) => pins.set(String(place.id), pinOf(place, found.selected).addTo(map)));
  thinLabels();
  drawLegend(found, bands);
  addScatter();
  if (fit && found) {
    const bounds = boundsOf(found);
    if (!bounds.isEmpty()) map.fitBounds(bounds, {padding: padding(), maxZoom: 17, duration: still.matches || !drawn ? 0 : 300});
  }
}

function drawLegend(found, bands) {
  const legend = document.getElementById('legend');
  const title = document.getElementById('map-title');
  legend.innerHTML = '';
  const entry = (className, words) => {
    const item = document.createElement('span');
    const mark = document.createElement('i');
    mark.className = className;
    item.append(mark, words);
    legend.append(item);
  };
  bands.forEach((band, at) => entry(`band-${Math.max(1, 4 - bands.length + at)}`, `${band.minutes} 分钟`));
  if (found && (found.places || []).some((place) => place.quiet)) entry('dot', '已满或停办');
  if (found && (found.places || []).some((place) => place.recommended)) entry('recommended-dot', '推荐');
  if (scatterWords().length) entry('cluster', '数字是这一带的家数');
  title.hidden = !bands.length;
  title.textContent = '';
  if (bands.length) {
    const strong = document.createElement('strong');
    strong.textContent = `${found.traveller} ${found.minutes} 分钟可到`;
    title.append(strong, found.note);
  }
}

function keyOf(found) {
  return found ? JSON.stringify([found.origin, found.bands && found.bands.length, found.minutes, found.traveller, found.kinds, (found.places || []).map((place) => place.id)]) : '';
}

function onNewAnswer(found) {
  if (!found || !map.getSource('bands')) return; // a map still loading draws the newest answer when it is ready
  const key = keyOf(found);
  drawAnswer(found, {fit: key !== drawn});
  drawn = key;
}

// What is here?

function onClick(event) {
  const tool = tools.find((each) => each.isOn());
  if (tool) {
    tool.add([event.lngLat.lng, event.lngLat.lat]);
    return;
  }
  const layers = ['points', 'clusters'].filter((id) => map.getLayer(id));
  const around = [[event.point.x - 8, event.point.y - 8], [event.point.x + 8, event.point.y + 8]];
  const hit = layers.length ? map.queryRenderedFeatures(around, {layers})[0] : null;
  if (hit && hit.layer.id === 'clusters') {
    map.easeTo({center: hit.geometry.coordinates, zoom: Math.min(17, map.getZoom() + 2), duration: still.matches ? 0 : 200});
    return;
  }
  const params = question();
  if (hit && hit.properties.id) {
    params.delete('place');
    showCard(`/places/${hit.properties.id}/card?${params}`);
    return;
  }
  params.set('here_lon', event.lngLat.lng.toFixed(6));
  params.set('here_lat', event.lngLat.lat.toFixed(6));
  showCard(`/here?${params}`);
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

export async function startMap() {
  await Promise.all([loadStyles(), recallBase(holder)]);
  maplibre.setWorkerUrl(new URL(holder.dataset.worker, window.location.href).href);
  const box = holder.dataset.bbox.split(',').map(Number);
  const found = answer();
  map = new maplibre.Map({
    container: holder,
    style: styleOf(holder, styleName()),
    bounds: found && found.origin ? boundsOf(found) : [[121.36, 31.13], [121.58, 31.32]],
    fitBoundsOptions: {padding: padding(), maxZoom: 17},
    maxBounds: [[box[0] - 0.6, box[1] - 0.5], [box[2] + 0.6, box[3] + 0.5]],
    maxZoom: 19,
    fadeDuration: still.matches ? 0 : 300,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    localIdeographFontFamily: '"PingFang SC","HarmonyOS Sans SC","Microsoft YaHei UI","Noto Sans CJK SC",sans-serif',
    locale: {'Map.Title': '地图'},
  });
  map.touchZoomRotate.disableRotation();
  holder.quantu = map; // for those who look into the page: tests, and the console
  map.on('load', () => {
    addData();
    onNewAnswer(answer());
    onNewCard();
    tools = [startMeasuring(map), startCircling(map)].filter(Boolean);
    holder.dataset.ready = 'true';
  });
  followScale(map, document.getElementById('scale'), document.getElementById('scale-text'));
  map.on('moveend', thinLabels);
  map.on('click', onClick);
  map.on('mousemove', (event) => {
    const layers = ['points', 'clusters'].filter((id) => map.getLayer(id));
    const over = layers.length && map.queryRenderedFeatures(event.point, {layers}).length;
    map.getCanvas().style.cursor = over ? 'pointer' : '';
  });
  onAnswer(onNewAnswer);
  onCard(onNewCard);
  onHover(lightPins);
  onSavedChange(() => ((answer() && answer().places) || []).forEach((place) => {
    const marker = pins.get(String(place.id));
    if (marker) paintPin(marker.getElement(), place);
  }));
  onSheet(() => { if (window.innerWidth <= 640 && drawn && answer() && sheetStop() !== 'full') map.fitBounds(boundsOf(answer()), {padding: padding(), maxZoom: 17, duration: still.matches ? 0 : 200}); });
  const restyle = () => {
    map.once('style.load', () => {
      scattered = null;
      addData();
      drawAnswer(answer(), {fit: false});
      drawWay();
    });
    map.setStyle(styleOf(holder, styleName()), {diff: false});
  };
  dark.addEventListener('change', restyle);
  offerBases(holder, map, restyle);
  offerPicture(holder, map);
  document.getElementById('zoom-in').addEventListener('click', () => map.zoomIn());
  document.getElementById('zoom-out').addEventListener('click', () => map.zoomOut());
  document.getElementById('scatter').addEventListener('change', () => {
    addScatter();
    drawLegend(answer(), (answer() && answer().bands) || []);
  });
}
