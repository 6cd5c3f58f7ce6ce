// Where services are missing: cells or regions in classes on the map, the row of the region that is clicked, a spot to try.
import {followProgress} from './progress.js';

if (document.querySelector('#gaps-progress[data-open]')) followProgress('gaps-progress', 1500);

const holder = document.getElementById('gaps-map');
const told = document.getElementById('gaps-said');
const drop = document.getElementById('gaps-drop');
const CLASSES = ['gap-1', 'gap-2', 'gap-3', 'gap-4', 'gap-5', 'quantity-1', 'quantity-2', 'quantity-3', 'quantity-4', 'quantity-5'];
const rows = new Map([...document.querySelectorAll('#gaps-table tr[data-code]')].map((row) => [row.dataset.code, row]));

/** The cells of the answer as shapes, each with its class and what is said of it. */
function shapesOf({outlines, minutes, classes}, feature) {
  const name = holder.dataset.kind;
  return outlines.map(([lon, lat, ...rest], at) => {
    const ring = [[lon / 1e5, lat / 1e5]];
    for (let i = 0; i < rest.length; i += 2) ring.push([(lon + rest[i]) / 1e5, (lat + rest[i + 1]) / 1e5]);
    ring.push(ring[0]);
    const away = minutes[at];
    const said = away === null ? `这里两小时走不到${name}，或者附近没有路` : `走到最近的${name}约 ${Math.max(1, Math.round(away))} 分钟`;
    return feature({type: 'Polygon', coordinates: [ring]}, {class: `gap-${classes[at]}`, said});
  });
}

/** Open the page again with one more place at a spot. */
function tryAt({lng, lat}) {
  const address = new URL(window.location.href);
  address.searchParams.delete('place');
  address.searchParams.set('lon', lng.toFixed(6));
  address.searchParams.set('lat', lat.toFixed(6));
  address.hash = '';
  window.location.assign(address);
}

async function start() {
  const {maplibre, openMap} = await import('./desk-map.js');
  const {boundsOf, collection, feature, token} = await import('./plan-shapes.js');
  const {pinAt} = await import('./pin.js');
  const box = holder.dataset.bbox.split(',').map(Number);
  const map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 16}});
  let data = null;
  let styled = false;
  let picking = false;
  const draw = () => {
    if (!data || !styled) return;
    const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
    const below = first && first.id;
    const colours = CLASSES.flatMap((name) => [name, token(`--${name}`)]);
    map.addSource('drawn', {type: 'geojson', data: data.drawn});
    map.addSource('open-places', {type: 'geojson', data: data.places});
    map.addLayer({id: 'drawn', type: 'fill', source: 'drawn', paint: {
      'fill-color': ['match', ['get', 'class'], ...colours, token('--surface')],
      'fill-opacity': ['match', ['get', 'class'], 'none', 0, 0.72], 'fill-antialias': false,
    }}, below);
    if (data.drawn.features.some((each) => each.properties.code)) {
      map.addLayer({id: 'borders', type: 'line', source: 'drawn', paint: {'line-color': token('--control'), 'line-width': 1}}, below);
    }
    map.addLayer({id: 'open-places', type: 'circle', source: 'open-places', paint: {
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 2, 14, 6], 'circle-color': token('--accent'),
      'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 9, 0.5, 14, 2],
    }});
    holder.dataset.drawn = 'true';
  };
  map.on('style.load', () => { styled = true; draw(); });
  map.on('click', (event) => {
    if (picking) { tryAt(event.lngLat); return; }
    const [place] = map.queryRenderedFeatures(event.point, {layers: ['open-places'].filter((id) => map.getLayer(id))});
    if (place) {
      const link = document.createElement('a');
      link.href = place.properties.href;
      link.textContent = place.properties.name;
      told.replaceChildren(link);
      return;
    }
    const [found] = map.queryRenderedFeatures(event.point, {layers: ['drawn'].filter((id) => map.getLayer(id))});
    told.textContent = found ? found.properties.said : '';
    rows.forEach((row, code) => row.classList.toggle('current', Boolean(found) && code === found.properties.code));
  });
  drop.addEventListener('click', () => {
    picking = !picking;
    drop.setAttribute('aria-pressed', String(picking));
    holder.classList.toggle('picking', picking);
    if (picking) told.textContent = '在地图上点一个位置，看新增一家会怎样。';
  });
  if (holder.dataset.lon) pinAt(map, [Number(holder.dataset.lon), Number(holder.dataset.lat)]);
  const response = await fetch(holder.dataset.gaps, {headers: {Accept: 'application/json'}});
  if (!response.ok) { told.textContent = '没能取到地图上的内容，请刷新，或看表格。'; return; }
  const answer = await response.json();
  data = {drawn: answer.regions || collection(shapesOf(answer.cells, feature)), places: answer.places};
  const bounds = new maplibre.LngLatBounds();
  data.drawn.features.forEach((each) => bounds.extend(boundsOf(each.geometry)));
  if (!bounds.isEmpty()) map.fitBounds(bounds, {padding: 16, duration: 0});
  draw();
}

if (holder && document.documentElement.classList.contains('map-ready')) start();
