// How far families of each committee walk: classes on the map, the row of the one that is clicked, and back from row to map.
import {followProgress} from './progress.js';

if (document.querySelector('#fairness-progress[data-open]')) followProgress('fairness-progress', 1000);

const holder = document.querySelector('[data-fairness]');
const said = document.getElementById('fair-said');
const OPACITY = [0.1, 0.3, 0.55, 0.85]; // as the swatches of the legend
const rows = new Map([...document.querySelectorAll('tr[data-committee]')].map((row) => [Number(row.dataset.committee), row]));

async function start() {
  const {maplibre, openMap} = await import('./desk-map.js');
  const {token} = await import('./plan-shapes.js');
  const box = (holder.dataset.box || holder.dataset.bbox).split(',').map(Number);
  const map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 16}});
  let data = null;
  let styled = false;
  let current = 0;
  const draw = () => {
    if (!data || !styled) return;
    const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
    const below = first && first.id;
    map.addSource('committees', {type: 'geojson', data: data.committees});
    map.addSource('spots', {type: 'geojson', data: data.spots});
    map.addLayer({id: 'classes', type: 'fill', source: 'committees', paint: {
      'fill-color': token('--accent'), 'fill-opacity': ['match', ['get', 'class'], 0, OPACITY[0], 1, OPACITY[1], 2, OPACITY[2], 3, OPACITY[3], 0],
    }}, below);
    map.addLayer({id: 'borders', type: 'line', source: 'committees', layout: {'line-join': 'round'}, paint: {'line-color': token('--control'), 'line-width': 1}}, below);
    map.addLayer({id: 'chosen', type: 'line', source: 'committees', filter: ['==', ['get', 'id'], current], layout: {'line-join': 'round'}, paint: {'line-color': token('--ink'), 'line-width': 3}}, below);
    map.addLayer({id: 'minutes', type: 'symbol', source: 'spots', layout: {
      'text-field': ['get', 'minutes'], 'text-size': 12, 'text-font': ['sans-serif'],
    }, paint: {'text-color': token('--ink'), 'text-halo-color': token('--surface'), 'text-halo-width': 1.6}});
    holder.dataset.drawn = 'true';
  };
  const choose = (id, {scroll = false, fit = false} = {}) => {
    current = id;
    rows.forEach((row, key) => row.classList.toggle('current', key === id));
    if (map.getLayer('chosen')) map.setFilter('chosen', ['==', ['get', 'id'], id]);
    const found = data && data.committees.features.find((each) => each.properties.id === id);
    said.textContent = found ? found.properties.said : '';
    if (scroll && rows.has(id)) rows.get(id).scrollIntoView({block: 'center'});
    if (fit && found) {
      const bounds = new maplibre.LngLatBounds();
      const extend = (points) => (typeof points[0] === 'number' ? bounds.extend(points) : points.forEach(extend));
      extend(found.geometry.coordinates);
      map.fitBounds(bounds, {padding: 80, maxZoom: 15, duration: 0});
    }
  };
  map.on('style.load', () => { styled = true; draw(); });
  map.on('click', 'classes', (event) => choose(event.features[0].properties.id, {scroll: true}));
  map.on('mouseenter', 'classes', () => { map.getCanvas().style.cursor = 'pointer'; });
  map.on('mouseleave', 'classes', () => { map.getCanvas().style.cursor = ''; });
  rows.forEach((row, id) => row.addEventListener('click', () => choose(id, {fit: true})));
  const response = await fetch(holder.dataset.fairness, {headers: {Accept: 'application/json'}});
  if (!response.ok) { said.textContent = '没能取到地图上的居委，请刷新，或看表格。'; return; }
  data = await response.json();
  draw();
}

if (holder && document.documentElement.classList.contains('map-ready')) start();
