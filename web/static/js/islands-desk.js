// Management of a layer of the island: its places on the map, and a new one from where somebody taps.
import {openMap} from './desk-map.js';
import {givePins} from './pins.js';
import {pinAt} from './pin.js';
import {dark} from './scheme.js';

const holder = document.getElementById('island-map');
const tapped = document.getElementById('island-tapped');
const pins = JSON.parse(document.getElementById('island-pins').textContent);
let mark = null;

function features() {
  return {type: 'FeatureCollection', features: pins.map(([id, lon, lat, name]) => ({
    type: 'Feature', geometry: {type: 'Point', coordinates: [lon, lat]}, properties: {id, name},
  }))};
}

async function draw(map) {
  await givePins(map, [holder.dataset.pin], dark.matches ? 'dark' : 'light');
  if (map.getSource('island')) return;
  map.addSource('island', {type: 'geojson', data: features()});
  map.addLayer({id: 'island-pins', type: 'symbol', source: 'island', layout: {
    'icon-image': `pin:${holder.dataset.pin}`, 'icon-anchor': 'bottom', 'icon-allow-overlap': true,
  }});
}

function offer(map, at) {
  const [lon, lat] = [at.lng.toFixed(7), at.lat.toFixed(7)];
  if (mark) mark.setLngLat(at);
  else mark = pinAt(map, at);
  const said = document.getElementById('island-add').content.cloneNode(true);
  said.querySelector('[data-at]').textContent = `${lon}，${lat}`;
  said.querySelectorAll('[data-kind]').forEach((link) => {
    link.href = `${holder.dataset.new}?kind_id=${link.dataset.kind}&lon=${lon}&lat=${lat}`;
  });
  tapped.replaceChildren(said);
}

async function start() {
  const [west, south, east, north] = holder.dataset.box.split(',').map(Number);
  const map = await openMap(holder, {bounds: [[west, south], [east, north]], fitBoundsOptions: {padding: 24}});
  map.on('style.load', () => draw(map));
  if (map.isStyleLoaded()) draw(map);
  map.on('click', (event) => {
    const [hit] = map.getLayer('island-pins') ? map.queryRenderedFeatures(event.point, {layers: ['island-pins']}) : [];
    if (!hit) {
      offer(map, event.lngLat);
      return;
    }
    const row = document.querySelector(`tr[data-id="${hit.properties.id}"]`);
    if (row) row.querySelector('a').focus();
  });
}

start();
