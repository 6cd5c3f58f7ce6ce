// Fences over the map beside a list: those of a file with what writing does to each, or those of an edition, asked by a click.
import {maplibre, openMap} from './desk-map.js';
import {EMPTY, boundsOf, token} from './plan-shapes.js';

const holder = document.querySelector('[data-shapes]');
const said = document.getElementById('shapes-said');
const INKS = {there: '--ink-3', before: '--bad', mended: '--good', new: '--good', replaces: '--accent', refused: '--bad', left_out: '--ink-3', found: '--accent'};
const DASHED = ['in', ['get', 'state'], ['literal', ['before', 'there']]];

function layers(map, data) {
  const ink = ['match', ['get', 'state'], ...Object.entries(INKS).flatMap(([state, name]) => [state, token(name)]), token('--ink-2')];
  const edge = {'line-color': ink, 'line-width': ['match', ['get', 'state'], ['there', 'unchanged', 'left_out', 'before'], 1.4, 3]};
  map.addSource('fences', {type: 'geojson', data});
  map.addLayer({id: 'fences', type: 'fill', source: 'fences', paint: {'fill-color': ink, 'fill-opacity': ['match', ['get', 'state'], ['there', 'left_out', 'before'], 0.04, 0.16]}});
  map.addLayer({id: 'fence-edges', type: 'line', source: 'fences', filter: ['!', DASHED], layout: {'line-join': 'round'}, paint: edge});
  map.addLayer({id: 'fence-dashes', type: 'line', source: 'fences', filter: DASHED, layout: {'line-join': 'round'}, paint: {...edge, 'line-dasharray': [3, 2]}});
  map.addLayer({id: 'fence-names', type: 'symbol', source: 'fences', filter: ['!=', ['get', 'state'], 'before'], layout: {'text-field': ['get', 'name'], 'text-size': 13, 'text-font': ['sans-serif'], 'text-padding': 6}, paint: {'text-color': token('--ink'), 'text-halo-color': token('--surface'), 'text-halo-width': 2.2}});
  holder.dataset.drawn = 'true';
}

function told(map, point) {
  const around = [[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]];
  const found = map.queryRenderedFeatures(around, {layers: ['fences', 'fence-edges', 'fence-dashes']});
  return [...new Set(found.map((each) => each.properties.said))].join('；');
}

async function start() {
  const response = await fetch(holder.dataset.shapes, {headers: {Accept: 'application/json'}});
  if (!response.ok) { said.textContent = '没能取到地图上的围栏，请刷新，或看下面的列表。'; return; }
  const data = (await response.json()).areas || EMPTY;
  const bounds = new maplibre.LngLatBounds();
  data.features.forEach((each) => bounds.extend(boundsOf(each.geometry)));
  const box = (holder.dataset.box || holder.dataset.bbox).split(',').map(Number);
  const whole = bounds.isEmpty() ? [[box[0], box[1]], [box[2], box[3]]] : bounds;
  const map = await openMap(holder, {bounds: whole, fitBoundsOptions: {padding: 40, maxZoom: 17}});
  map.on('style.load', () => layers(map, data));
  if (holder.dataset.ask) {
    map.on('click', ({lngLat}) => {
      document.getElementById('lon').value = lngLat.lng.toFixed(6);
      document.getElementById('lat').value = lngLat.lat.toFixed(6);
      document.getElementById('fence-find').submit();
    });
    said.textContent = '点地图上的一个位置，看它在哪几个围栏里。';
  } else {
    map.on('click', ({point}) => { said.textContent = told(map, point); });
    said.textContent = '点一个围栏看它写入以后怎样。';
  }
}

start();
