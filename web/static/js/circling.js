// 圈选 of 养老一张图: ground marked on the map by click, finger or keyboard; what serves elders in it comes as a card beside the list.
import {ground, onCard, question, showCard} from './answer.js';
import {setSheet} from './sheet.js';
import {onlyTool} from './tools.js';

const MOST = 200;
const EMPTY = {type: 'FeatureCollection', features: []};
// how many points each way of marking takes, and what is said until it has them
const WAYS = {
  circle: {points: 1, said: ['点圆心，看这么远以内的。']},
  box: {points: 2, said: ['点方框的一个角。', '再点对面的角。']},
  polygon: {points: 0, said: ['沿边界逐个点，至少三个点。', '再点下一个点。', '再点一个点，就能看了。']},
  reach: {points: 1, said: ['点从哪里出发，看这些分钟能走到的。']},
  street: {points: 1, said: ['点一下，看它所在的街镇。']},
  district: {points: 1, said: ['点一下，看它所在的区。']},
};

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const feature = (geometry) => ({type: 'Feature', properties: {}, geometry});
const written = ([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`;

/** The address that asks for marked ground: the question of the page, and the points marked. */
export function addressOf(action, params, how, points, radius) {
  ['place', 'q', 'here_lon', 'here_lat'].forEach((name) => params.delete(name));
  params.set('how', how);
  if (how === 'circle') params.set('radius', radius);
  if (how === 'box' || how === 'polygon') params.set('corners', points.map(written).join(';'));
  else {
    params.set('lon', points[0][0].toFixed(6));
    params.set('lat', points[0][1].toFixed(6));
    params.delete('at');
  }
  return `${action}?${params}`;
}

/** Let the map mark ground; like measuring, it takes clicks while it is on. Returns null where the page does not offer it. */
export function startCircling(map) {
  const form = document.getElementById('circling');
  if (!form) return null;
  const button = document.getElementById('circling-open');
  const said = document.getElementById('circling-said');
  const submit = form.querySelector('[type="submit"]');
  const undo = form.querySelector('[data-circling="undo"]');
  let points = [];
  let on = false;
  const how = () => form.elements.how.value;

  function sketch() {
    const features = points.map((point) => feature({type: 'Point', coordinates: point}));
    if (how() === 'polygon' && points.length > 1) features.push(feature({type: 'LineString', coordinates: points.length > 2 ? [...points, points[0]] : points}));
    return {type: 'FeatureCollection', features};
  }

  function addLayers() {
    const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
    const below = first && first.id;
    ['circled', 'circled-places', 'circled-sketch'].forEach((name) => map.addSource(name, {type: 'geojson', data: EMPTY}));
    map.addLayer({id: 'circled', type: 'fill', source: 'circled', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.18}}, below);
    map.addLayer({id: 'circled-edge', type: 'line', source: 'circled', layout: {'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 2.4, 'line-dasharray': [3, 2]}}, below);
    map.addLayer({id: 'circled-places', type: 'circle', source: 'circled-places', paint: {'circle-radius': 5, 'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.5}});
    map.addLayer({id: 'circled-sketch-line', type: 'line', source: 'circled-sketch', filter: ['==', ['geometry-type'], 'LineString'], layout: {'line-cap': 'round', 'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 3}});
    map.addLayer({id: 'circled-sketch', type: 'circle', source: 'circled-sketch', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 5, 'circle-color': token('--surface'), 'circle-stroke-color': token('--accent'), 'circle-stroke-width': 3}});
    draw();
  }

  function draw() {
    if (!map.getSource('circled')) return; // a style still loading is drawn on when it is there
    const marked = ground();
    map.getSource('circled').setData(marked ? feature(marked.outline) : EMPTY);
    map.getSource('circled-places').setData(marked ? {type: 'FeatureCollection', features: marked.places.map(([lon, lat]) => feature({type: 'Point', coordinates: [lon, lat]}))} : EMPTY);
    map.getSource('circled-sketch').setData(on ? sketch() : EMPTY);
  }

  function show() {
    const way = WAYS[how()];
    const ready = way.points ? points.length >= way.points : points.length > 2;
    said.textContent = ready ? '点“看供需”，或接着点。' : way.said[Math.min(points.length, way.said.length - 1)];
    submit.disabled = !ready;
    undo.disabled = !points.length;
    form.querySelectorAll('[data-for]').forEach((part) => { part.hidden = !part.dataset.for.split(' ').includes(how()); });
    draw();
    return ready && Boolean(way.points);
  }

  async function ask() {
    const address = addressOf(form.getAttribute('action'), question(), how(), points, form.elements.radius.value);
    turn(false);
    await showCard(address);
    const marked = ground();
    if (marked) fit(marked.outline);
  }

  /** The marked ground comes to lie in the part of the map that nothing covers. */
  function fit({coordinates}) {
    const flat = coordinates.flat(Infinity);
    const lons = flat.filter((_, at) => at % 2 === 0);
    const lats = flat.filter((_, at) => at % 2 === 1);
    const phone = window.innerWidth <= 640;
    const card = document.getElementById('card');
    const padding = phone ? {top: 164, left: 24, right: 24, bottom: card.offsetHeight + 80} : {top: 60, left: 40, right: 400, bottom: 80};
    const bounds = [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
    map.fitBounds(bounds, {padding, maxZoom: 16, duration: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 300});
  }

  function add(point) {
    if (points.length >= MOST) return;
    points.push(point);
    if (show()) ask();
  }

  function turn(to) {
    if (to) onlyTool(stop);
    on = to;
    points = [];
    form.hidden = !on;
    button.setAttribute('aria-pressed', String(on));
    document.getElementById('map').classList.toggle('measuring', on);
    if (on && window.innerWidth <= 640) setSheet('peek'); // the middle of the map must be in sight
    show();
    (on ? form.querySelector('input:checked') : button).focus();
  }

  function stop() {
    if (on) turn(false);
  }

  button.addEventListener('click', () => turn(!on));
  form.addEventListener('change', (event) => {
    if (event.target.name === 'how') points = [];
    show();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!submit.disabled) ask();
  });
  form.addEventListener('click', (event) => {
    const act = event.target.closest('[data-circling]');
    if (!act) return;
    if (act.dataset.circling === 'add') add([map.getCenter().lng, map.getCenter().lat]);
    if (act.dataset.circling === 'undo') { points.pop(); show(); }
    if (act.dataset.circling === 'end') turn(false);
  });
  document.addEventListener('keydown', (event) => {
    const typing = /^(TEXTAREA|SELECT)$/.test(event.target.tagName) || (event.target.tagName === 'INPUT' && event.target.type !== 'radio');
    if (!on || typing) return;
    const onMap = event.target.classList.contains('maplibregl-canvas');
    if (event.key === 'Escape') turn(false);
    else if (event.key === 'Backspace') { points.pop(); show(); }
    else if (event.key === 'Enter' && onMap) add([map.getCenter().lng, map.getCenter().lat]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  onCard(draw);
  map.on('style.load', addLayers);
  addLayers();
  return {isOn: () => on, add};
}
