// Features over the map beside a list: those of a file, or those that differ between two versions. A click says which.
import {maplibre, openMap} from './desk-map.js';
import {boundsOf, token} from './plan-shapes.js';

const holder = document.querySelector('[data-shapes-map]');
const said = document.getElementById('shapes-said');
const data = JSON.parse(document.getElementById('shapes').textContent);
const INKS = {added: '--good', new: '--good', changed: '--accent', mended: '--warn', before: '--ink-2', gone: '--bad'};
const LAYERS = ['shapes', 'shape-edges', 'shape-dashes', 'shape-spots'];

function layers(map) {
  const ink = ['match', ['get', 'state'], ...Object.entries(INKS).flatMap(([state, name]) => [state, token(name)]), token('--ink-2')];
  const is = (type) => ['==', ['geometry-type'], type];
  const before = ['==', ['get', 'state'], 'before'];
  map.addSource('shapes', {type: 'geojson', data});
  map.addLayer({id: 'shapes', type: 'fill', source: 'shapes', filter: is('Polygon'), paint: {'fill-color': ink, 'fill-opacity': 0.16}});
  map.addLayer({id: 'shape-edges', type: 'line', source: 'shapes', filter: ['all', ['!', is('Point')], ['!', before]], layout: {'line-join': 'round', 'line-cap': 'round'}, paint: {'line-color': ink, 'line-width': 3}});
  map.addLayer({id: 'shape-dashes', type: 'line', source: 'shapes', filter: ['all', ['!', is('Point')], before], paint: {'line-color': ink, 'line-width': 2, 'line-dasharray': [3, 2]}});
  map.addLayer({id: 'shape-spots', type: 'circle', source: 'shapes', filter: is('Point'), paint: {'circle-radius': 6, 'circle-color': ink, 'circle-opacity': ['case', before, 0.3, 0.9], 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.6}});
  holder.dataset.drawn = 'true';
}

async function start() {
  const bounds = new maplibre.LngLatBounds();
  data.features.forEach((each) => bounds.extend(boundsOf(each.geometry)));
  const box = holder.dataset.bbox.split(',').map(Number);
  const whole = bounds.isEmpty() ? [[box[0], box[1]], [box[2], box[3]]] : bounds;
  const map = await openMap(holder, {bounds: whole, fitBoundsOptions: {padding: 40, maxZoom: 17}});
  map.on('style.load', () => layers(map));
  map.on('click', ({point}) => {
    const around = [[point.x - 6, point.y - 6], [point.x + 6, point.y + 6]];
    const found = map.queryRenderedFeatures(around, {layers: LAYERS});
    said.textContent = [...new Set(found.map((each) => each.properties.said))].join('；') || '点一个图形看它是哪一个。';
  });
  said.textContent = '点一个图形看它是哪一个。';
}

start();
