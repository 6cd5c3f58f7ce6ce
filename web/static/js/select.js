// 圈选: a shape drawn corner by corner goes with the form; the ground and the places of the answer stand on the same map.
import {maplibre, openMap} from './desk-map.js';

const holder = document.getElementById('select-map');
const field = document.getElementById('shape');
const said = document.getElementById('draw-said');
const begin = document.getElementById('draw-begin');
const back = document.getElementById('draw-back');
const clear = document.getElementById('draw-clear');
const island = document.getElementById('select-answer');
const answer = island ? JSON.parse(island.textContent) : null;
const MOST = 500;
let map = null;
let drawing = false;
let corners = [];
let kept = field.value ? JSON.parse(field.value) : null;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const collection = (features) => ({type: 'FeatureCollection', features});
const feature = (geometry, properties = {}) => ({type: 'Feature', geometry, properties});

/** What is drawn so far: the area, or its first line, and the corners. */
function sketch() {
  if (!corners.length) return kept && !answer ? [feature(kept)] : [];
  const area = corners.length > 2
    ? {type: 'Polygon', coordinates: [[...corners, corners[0]]]}
    : {type: 'LineString', coordinates: corners.length > 1 ? corners : [corners[0], corners[0]]};
  return [feature(area), ...corners.map((each) => feature({type: 'Point', coordinates: each}))];
}

function say(text) {
  said.textContent = text;
}

function refresh() {
  if (corners.length > 2) field.value = JSON.stringify({type: 'Polygon', coordinates: [[...corners, corners[0]]]});
  else field.value = kept && !corners.length ? JSON.stringify(kept) : '';
  back.disabled = !corners.length;
  clear.disabled = !corners.length && !kept;
  begin.setAttribute('aria-pressed', String(drawing));
  begin.lastElementChild.textContent = drawing ? '画好了' : '画图形';
  holder.parentElement.toggleAttribute('data-drawing', drawing);
  if (map && map.getSource('sketch')) map.getSource('sketch').setData(collection(sketch()));
}

function add(point) {
  if (corners.length >= MOST) {
    say(`最多 ${MOST} 个拐角。更细的图形请上传文件。`);
    return;
  }
  kept = null;
  corners.push([Number(point.lng.toFixed(7)), Number(point.lat.toFixed(7))]);
  say(corners.length < 3 ? `已有 ${corners.length} 个拐角，至少 3 个。` : `已有 ${corners.length} 个拐角。点“画好了”，再点“圈选”。`);
  refresh();
}

begin.addEventListener('click', () => {
  drawing = !drawing;
  if (drawing) {
    say('沿边界逐个点拐角；用键盘时移动地图，按回车在正中加一点。');
    if (map) map.getCanvas().focus();
  } else if (corners.length && corners.length < 3) {
    say('至少要 3 个拐角，请接着画，或清除。');
    drawing = true;
  } else if (corners.length) {
    say('图形画好了，点“圈选”看里面有什么。');
  }
  refresh();
});
back.addEventListener('click', () => {
  corners.pop();
  say(corners.length ? `还有 ${corners.length} 个拐角。` : '图形清空了，可以重新画。');
  refresh();
});
clear.addEventListener('click', () => {
  corners = [];
  kept = null;
  say('图形清空了，可以重新画。');
  refresh();
});

function draw() {
  const edge = token('--accent');
  if (answer) {
    map.addSource('marked', {type: 'geojson', data: feature(answer.outline)});
    map.addLayer({id: 'marked', type: 'fill', source: 'marked', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
    map.addLayer({id: 'marked-edge', type: 'line', source: 'marked', layout: {'line-join': 'round'}, paint: {'line-color': edge, 'line-width': 2}});
    map.addSource('found', {type: 'geojson', data: collection(answer.places.map(([lon, lat, name]) => feature({type: 'Point', coordinates: [lon, lat]}, {name})))});
    map.addLayer({id: 'found', type: 'circle', source: 'found', paint: {'circle-radius': 5, 'circle-color': edge, 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.5}});
  }
  map.addSource('sketch', {type: 'geojson', data: collection(sketch())});
  map.addLayer({id: 'sketch', type: 'fill', source: 'sketch', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': edge, 'fill-opacity': 0.12}});
  map.addLayer({id: 'sketch-edge', type: 'line', source: 'sketch', filter: ['!=', ['geometry-type'], 'Point'], layout: {'line-join': 'round'}, paint: {'line-color': edge, 'line-width': 3, 'line-dasharray': [2, 1]}});
  map.addLayer({id: 'sketch-corners', type: 'circle', source: 'sketch', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 6, 'circle-color': token('--surface'), 'circle-stroke-color': edge, 'circle-stroke-width': 3}});
}

function boundsOf(coordinates, bounds = new maplibre.LngLatBounds()) {
  if (typeof coordinates[0] === 'number') return bounds.extend(coordinates);
  coordinates.forEach((each) => boundsOf(each, bounds));
  return bounds;
}

async function start() {
  const shown = answer ? answer.outline : kept;
  const box = holder.dataset.bbox.split(',').map(Number);
  const bounds = shown && shown.coordinates.length ? boundsOf(shown.coordinates) : [[box[0], box[1]], [box[2], box[3]]];
  map = await openMap(holder, {bounds, fitBoundsOptions: {padding: 24, maxZoom: 16}, doubleClickZoom: false});
  map.on('style.load', draw);
  map.on('click', (event) => {
    if (drawing) {
      add(event.lngLat);
      return;
    }
    const [found] = map.getLayer('found') ? map.queryRenderedFeatures(event.point, {layers: ['found']}) : [];
    if (found) say(found.properties.name);
  });
  map.getCanvas().addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !drawing) return;
    event.preventDefault();
    add(map.getCenter());
  });
}

refresh();
if (document.documentElement.classList.contains('map-ready')) start();
