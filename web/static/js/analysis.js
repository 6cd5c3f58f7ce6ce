// 空间分析: a shape drawn corner by corner goes with the form; a result stands on the map; long work is followed.
import {maplibre, openMap} from './desk-map.js';
import {Sketch} from './plan-editing.js';
import {boundsOf, collection, feature, token} from './plan-shapes.js';
import {followProgress} from './progress.js';

const holder = document.getElementById('analysis-map');
const island = document.getElementById('analysis-result');
const field = document.getElementById('shape');
const FREE = {at: (point) => point};
const MOST = 500;

function whole(drawn) {
  const bounds = new maplibre.LngLatBounds();
  drawn.features.forEach((each) => bounds.extend(boundsOf(each.geometry)));
  return bounds;
}

async function showResult(drawn) {
  const map = await openMap(holder, {bounds: whole(drawn), fitBoundsOptions: {padding: 32, maxZoom: 16}});
  map.on('style.load', () => {
    const edge = token('--accent');
    const of = (kind) => ['==', ['geometry-type'], kind];
    map.addSource('result', {type: 'geojson', data: drawn});
    map.addLayer({id: 'result', type: 'fill', source: 'result', filter: of('Polygon'), paint: {'fill-color': token('--circle'), 'fill-opacity': 0.22}});
    map.addLayer({id: 'result-edge', type: 'line', source: 'result', filter: ['!=', ['geometry-type'], 'Point'], layout: {'line-join': 'round'}, paint: {'line-color': edge, 'line-width': 1.6}});
    map.addLayer({id: 'result-points', type: 'circle', source: 'result', filter: of('Point'), paint: {'circle-radius': 5, 'circle-color': edge, 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 1.5}});
  });
}

/** Draw one area; the field of the form holds it as GeoJSON, typed or drawn. */
async function draw() {
  const said = document.getElementById('draw-said');
  const begin = document.getElementById('draw-begin');
  const back = document.getElementById('draw-back');
  const clear = document.getElementById('draw-clear');
  const box = holder.dataset.bbox.split(',').map(Number);
  const map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], doubleClickZoom: false});
  let sketch = null;
  const kept = () => {
    try {
      return field.value ? JSON.parse(field.value) : null;
    } catch (fault) {
      return null;
    }
  };
  const paint = (points = []) => {
    const shapes = kept() && !sketch ? [feature(kept())] : [];
    if (points.length > 1) shapes.push(feature({type: 'LineString', coordinates: points.length > 2 ? [...points, points[0]] : points}));
    points.forEach((each) => shapes.push(feature({type: 'Point', coordinates: each})));
    if (map.getSource('sketch')) map.getSource('sketch').setData(collection(shapes));
    back.disabled = !points.length;
    clear.disabled = !points.length && !field.value;
    begin.setAttribute('aria-pressed', String(Boolean(sketch)));
    begin.lastElementChild.textContent = sketch ? '画好了' : '画图形';
  };
  const changed = (points) => {
    if (points.length >= MOST) said.textContent = `最多 ${MOST} 个拐角，更细的图形请上传成图层。`;
    else said.textContent = points.length < 3 ? `已有 ${points.length} 个拐角，至少 3 个。` : `已有 ${points.length} 个拐角。点“画好了”。`;
    paint(points);
  };
  const done = (points) => {
    sketch = null;
    const short = points.map(([lon, lat]) => [Number(lon.toFixed(7)), Number(lat.toFixed(7))]);
    field.value = JSON.stringify({type: 'Polygon', coordinates: [[...short, short[0]]]});
    said.textContent = '图形画好了。在上面选“地图上画的图形”，或勾“只取碰到所画图形的”。';
    paint();
  };
  const stop = () => { sketch = null; paint(); };
  begin.addEventListener('click', () => {
    if (sketch) {
      if (sketch.points.length < 3) said.textContent = '至少要 3 个拐角，请接着画，或清除。';
      else sketch.finish();
      return;
    }
    field.value = '';
    sketch = new Sketch(map, FREE, {closes: true, changed, done, cancelled: stop});
    said.textContent = '沿边界逐个点拐角；用键盘时移动地图，按回车在正中加一点。';
    map.getCanvas().focus();
    paint();
  });
  back.addEventListener('click', () => { if (sketch) sketch.back(); });
  clear.addEventListener('click', () => {
    field.value = '';
    if (sketch) sketch.cancel();
    said.textContent = '图形清空了，可以重新画。';
    paint();
  });
  field.addEventListener('change', () => paint());
  map.getCanvas().addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !sketch) return;
    event.preventDefault();
    sketch.addInTheMiddle();
  });
  map.on('style.load', () => {
    const edge = token('--accent');
    map.addSource('sketch', {type: 'geojson', data: collection([])});
    map.addLayer({id: 'sketch', type: 'fill', source: 'sketch', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': edge, 'fill-opacity': 0.12}});
    map.addLayer({id: 'sketch-edge', type: 'line', source: 'sketch', filter: ['!=', ['geometry-type'], 'Point'], layout: {'line-join': 'round'}, paint: {'line-color': edge, 'line-width': 3, 'line-dasharray': [2, 1]}});
    map.addLayer({id: 'sketch-corners', type: 'circle', source: 'sketch', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 6, 'circle-color': token('--surface'), 'circle-stroke-color': edge, 'circle-stroke-width': 3}});
    paint(sketch ? sketch.points : []);
  });
}

if (document.querySelector('#analysis-progress[data-open]')) followProgress('analysis-progress', 1000);
if (holder && document.documentElement.classList.contains('map-ready')) {
  if (island) showResult(JSON.parse(island.textContent));
  else if (field) draw();
}
