// Doors of a list as dots over the areas of an edition; a dot says what its row says.
import {maplibre, openMap} from './desk-map.js';
import {EMPTY, token} from './plan-shapes.js';

const holder = document.querySelector('[data-points]');
const said = document.getElementById('points-said');

async function start() {
  const box = (holder.dataset.box || holder.dataset.bbox).split(',').map(Number);
  const map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 30}});
  let data = null;
  let styled = false;
  const draw = () => {
    if (!data || !styled) return;
    map.addSource('areas', {type: 'geojson', data: data.areas || EMPTY});
    map.addSource('doors', {type: 'geojson', data: data.points});
    map.addLayer({id: 'areas', type: 'line', source: 'areas', layout: {'line-join': 'round'}, paint: {'line-color': token('--ink-2'), 'line-width': 1.6}});
    map.addLayer({id: 'doors', type: 'circle', source: 'doors', paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 11, 2.5, 16, 6], 'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.2,
    }});
    holder.dataset.drawn = 'true';
  };
  map.on('style.load', () => { styled = true; draw(); });
  const response = await fetch(holder.dataset.points, {headers: {Accept: 'application/json'}});
  if (!response.ok) { said.textContent = '没能取到地图上的门牌，请刷新，或看下面的列表。'; return; }
  data = await response.json();
  draw();
  const bounds = new maplibre.LngLatBounds();
  data.points.features.forEach((each) => bounds.extend(each.geometry.coordinates));
  if (!bounds.isEmpty()) map.fitBounds(bounds, {padding: 50, maxZoom: 16, duration: 0});
  map.on('click', (event) => {
    const around = [[event.point.x - 6, event.point.y - 6], [event.point.x + 6, event.point.y + 6]];
    const found = map.queryRenderedFeatures(around, {layers: ['doors']});
    said.textContent = found.slice(0, 3).map((each) => each.properties.said).join('；');
  });
  said.textContent = `地图上有 ${data.points.features.length.toLocaleString('zh-CN')} 个门牌；点一个圆点看它的变化。`;
}

if (holder) start(); // a list without doors has no map
