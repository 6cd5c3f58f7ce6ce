// A three-dimensional model at the desk: its outline on the map, a click that says where it stands, corners of the area without white models.
import {openMap} from './desk-map.js';
import {boundsOf, token} from './plan-shapes.js';
import {pinAt} from './pin.js';
import {followProgress} from './progress.js';
import {maplibre} from './desk-map.js';

const progress = document.getElementById('scene-progress');
if (progress && 'open' in progress.dataset) followProgress('scene-progress', 1500);

const holder = document.querySelector('[data-scenes-map]');
const where = document.getElementById('where');
const footprint = document.getElementById('footprint');
const draw = document.querySelector('[data-draw]');
const said = document.getElementById('scenes-said');
const data = JSON.parse(document.getElementById('scene-drawn').textContent);
let corners = [];
let pin = null;

function ringOf(points) {
  return points.length > 2 ? {type: 'Polygon', coordinates: [[...points, points[0]]]} : {type: 'LineString', coordinates: points};
}

function show(map) {
  const ink = ['match', ['get', 'state'], 'new', token('--good'), token('--ink-2')];
  map.addSource('scene', {type: 'geojson', data});
  map.addLayer({id: 'scene', type: 'fill', source: 'scene', paint: {'fill-color': ink, 'fill-opacity': 0.16}});
  map.addLayer({id: 'scene-edge', type: 'line', source: 'scene', layout: {'line-join': 'round'}, paint: {'line-color': ink, 'line-width': 3}});
  map.addSource('corners', {type: 'geojson', data: {type: 'FeatureCollection', features: []}});
  map.addLayer({id: 'corners', type: 'line', source: 'corners', paint: {'line-color': token('--accent'), 'line-width': 2, 'line-dasharray': [3, 2]}});
  showCorners(map);
  holder.dataset.drawn = 'true';
}

function showCorners(map) {
  const source = map.getSource('corners');
  if (source) source.setData({type: 'FeatureCollection', features: corners.length > 1 ? [{type: 'Feature', properties: {}, geometry: ringOf(corners)}] : []});
}

function clicked(map, at) {
  const point = [Number(at.lng.toFixed(7)), Number(at.lat.toFixed(7))];
  if (draw && draw.getAttribute('aria-pressed') === 'true') {
    corners = [...corners, point];
    footprint.value = corners.length > 2 ? JSON.stringify(ringOf(corners)) : '';
    showCorners(map);
    said.textContent = corners.length > 2 ? `已画 ${corners.length} 个点。画完请点“保存位置”。` : '接着点，至少三个点。';
    return;
  }
  if (!where) return;
  where.value = `${point[0].toFixed(7)}, ${point[1].toFixed(7)}`;
  if (pin) pin.remove();
  pin = pinAt(map, point);
  said.textContent = '原点放在这里。点“保存位置”后，绿框会移过来。';
}

async function start() {
  const bounds = new maplibre.LngLatBounds();
  data.features.forEach((each) => bounds.extend(boundsOf(each.geometry)));
  const box = holder.dataset.bbox.split(',').map(Number);
  const whole = bounds.isEmpty() ? [[box[0], box[1]], [box[2], box[3]]] : bounds;
  const map = await openMap(holder, {bounds: whole, fitBoundsOptions: {padding: 48, maxZoom: 18}});
  map.on('style.load', () => show(map));
  map.on('click', (event) => clicked(map, event.lngLat));
  if (where) said.textContent = '绿框是模型的轮廓。在地图上点一下，就把原点放在那里。';
  if (draw) {
    draw.addEventListener('click', () => {
      const on = draw.getAttribute('aria-pressed') !== 'true';
      draw.setAttribute('aria-pressed', String(on));
      holder.parentElement.classList.toggle('drawing', on);
      if (on) { corners = []; showCorners(map); said.textContent = '在地图上依次点范围的角。'; }
    });
    document.querySelector('[data-clear]').addEventListener('click', () => {
      corners = [];
      footprint.value = '';
      showCorners(map);
      said.textContent = '已清空，用模型的轮廓。点“保存位置”。';
    });
  }
}

if (holder) start();
