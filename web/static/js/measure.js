// 测距: lengths and areas on the ellipsoid of the map (CGCS2000) and on the city's plane, by mouse, finger or keyboard.
import {planeAreaOf, planeLengthOf} from './plane.js';
import {setSheet} from './sheet.js';
import {onlyTool} from './tools.js';

const A = 6378137;
const F = 1 / 298.257222101;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const MOST = 100;
const EMPTY = {type: 'FeatureCollection', features: []};

const rad = (degrees) => (degrees * Math.PI) / 180;

/** Metres between two points [lon, lat] along the geodesic (Vincenty); exact to millimetres within a city and far beyond. */
export function metresBetween([lon1, lat1], [lon2, lat2]) {
  const u1 = Math.atan((1 - F) * Math.tan(rad(lat1)));
  const u2 = Math.atan((1 - F) * Math.tan(rad(lat2)));
  const [sin1, cos1, sin2, cos2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  const between = rad(lon2 - lon1);
  let lambda = between;
  let parts = null;
  for (let turn = 0; turn < 100; turn += 1) {
    const sinLambda = Math.sin(lambda);
    const cosLambda = Math.cos(lambda);
    const sinSigma = Math.hypot(cos2 * sinLambda, cos1 * sin2 - sin1 * cos2 * cosLambda);
    if (sinSigma === 0) return 0;
    const cosSigma = sin1 * sin2 + cos1 * cos2 * cosLambda;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (cos1 * cos2 * sinLambda) / sinSigma;
    const cos2Alpha = 1 - sinAlpha * sinAlpha;
    const cosMiddle = cos2Alpha ? cosSigma - (2 * sin1 * sin2) / cos2Alpha : 0;
    const c = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const before = lambda;
    lambda = between + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (cosMiddle + c * cosSigma * (2 * cosMiddle * cosMiddle - 1)));
    parts = {sigma, sinSigma, cosSigma, cosMiddle, cos2Alpha};
    if (Math.abs(lambda - before) < 1e-13) break;
  }
  const {sigma, sinSigma, cosSigma, cosMiddle, cos2Alpha} = parts;
  const k = (cos2Alpha * (A * A - B * B)) / (B * B);
  const a = 1 + (k / 16384) * (4096 + k * (-768 + k * (320 - 175 * k)));
  const b = (k / 1024) * (256 + k * (-128 + k * (74 - 47 * k)));
  const turned = b * sinSigma * (cosMiddle + (b / 4) * (cosSigma * (2 * cosMiddle * cosMiddle - 1) - (b / 6) * cosMiddle * (4 * sinSigma * sinSigma - 3) * (4 * cosMiddle * cosMiddle - 3)));
  return B * a * (sigma - turned);
}

/** Metres along a line of points. */
export function lengthOf(points) {
  return points.slice(1).reduce((sum, point, at) => sum + metresBetween(points[at], point), 0);
}

const q = (sine) => (1 - E2) * (sine / (1 - E2 * sine * sine) - Math.log((1 - E * sine) / (1 + E * sine)) / (2 * E));
const POLE = q(1);
const RADIUS = A * Math.sqrt(POLE / 2);

/** Square metres inside a ring of points: on the sphere of equal area, edge by edge; a city's areas are true to a millionth. */
export function areaOf(points) {
  if (points.length < 3) return 0;
  let excess = 0;
  points.forEach(([lon1, lat1], at) => {
    const [lon2, lat2] = points[(at + 1) % points.length];
    const [beta1, beta2] = [lat1, lat2].map((lat) => Math.asin(q(Math.sin(rad(lat))) / POLE));
    const [t1, t2] = [Math.tan(beta1 / 2), Math.tan(beta2 / 2)];
    excess += 2 * Math.atan((Math.tan(rad(lon2 - lon1) / 2) * (t1 + t2)) / (1 + t1 * t2));
  });
  return Math.abs(excess) * RADIUS * RADIUS;
}

export function lengthWords(metres) {
  if (metres < 1000) return `${metres < 10 ? metres.toFixed(1) : Math.round(metres)} 米`;
  return `${(metres / 1000).toFixed(metres < 10000 ? 2 : 1)} 公里`;
}

export function areaWords(metres) {
  if (metres < 10000) return `${Math.round(metres)} 平方米`;
  if (metres < 1e6) return `${(metres / 1e4).toFixed(2)} 公顷`;
  return `${(metres / 1e6).toFixed(2)} 平方公里`;
}

const exact = (figure, digits) => figure.toLocaleString('zh-CN', {minimumFractionDigits: digits, maximumFractionDigits: digits});
const off = (plane, ellipsoid, digits) => `${plane < ellipsoid ? '−' : '+'}${exact(Math.abs(plane - ellipsoid), digits)}`;
const millionths = (plane, ellipsoid) => `百万分之 ${Math.round((1e6 * Math.abs(plane - ellipsoid)) / ellipsoid)}`;

/** Both figures of a measured line or ring, metres and square metres, and what lies between them; — outside the city's plane. */
export function bothFigures(terms, points) {
  const [length, area] = [lengthOf(points), areaOf(points)];
  const [flat, flatArea] = [planeLengthOf(terms, points), planeAreaOf(terms, points)];
  const [along, inside] = [flat !== null && length > 0, flatArea !== null && area > 0];
  return {
    length: exact(length, 2),
    'plane-length': flat === null ? '—' : exact(flat, 2),
    'length-off': along ? off(flat, length, 3) : '—',
    'length-part': along ? millionths(flat, length) : '',
    area: exact(area, 2),
    'plane-area': flatArea === null ? '—' : exact(flatArea, 2),
    'area-off': inside ? off(flatArea, area, 2) : '—',
    'area-part': inside ? millionths(flatArea, area) : '',
  };
}

/** Why the two differ, and how sure the plane is. */
function whyWords({name, label, meridian}) {
  return `“${name}”把地面摊成平面：离中央经线（东经 ${meridian.toFixed(4)}°）越远放得越大，这是投影变形。${name}：${label}。`;
}

/** A measured line in one sentence, on the plane too when `terms` (JSON) tell one. */
export function measuredWords(points, terms) {
  const inside = points.length > 2;
  const said = `一共 ${lengthWords(lengthOf(points))}${inside ? `，围起来 ${areaWords(areaOf(points))}` : ''}`;
  if (!terms || points.length < 2) return said;
  const plane = JSON.parse(terms);
  const figures = bothFigures(plane, points);
  return `${said}。${plane.name}平面 ${figures['plane-length']} 米${inside ? `，${figures['plane-area']} 平方米` : ''}`;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Let a map measure that stands beside `includes/measure.html`; returns whether it is doing so, and how a click adds a point. */
export function startMeasuring(map) {
  const panel = document.getElementById('measure');
  const button = document.getElementById('measure-open');
  const result = document.getElementById('measure-said');
  const both = document.getElementById('measure-both');
  const why = document.getElementById('measure-why');
  const terms = JSON.parse(panel.dataset.plane);
  let points = [];
  let on = false;
  both.querySelector('[data-plane-name]').textContent = `${terms.name}平面`;
  why.textContent = whyWords(terms);

  function drawn() {
    const feature = (geometry) => ({type: 'Feature', properties: {}, geometry});
    const features = points.map((point) => feature({type: 'Point', coordinates: point}));
    if (points.length > 1) features.push(feature({type: 'LineString', coordinates: points}));
    if (points.length > 2) features.push(feature({type: 'Polygon', coordinates: [[...points, points[0]]]}));
    return {type: 'FeatureCollection', features};
  }

  function addLayers() {
    if (map.getSource('measure')) return;
    map.addSource('measure', {type: 'geojson', data: EMPTY});
    map.addLayer({id: 'measure-area', type: 'fill', source: 'measure', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': colour('--warn'), 'fill-opacity': 0.14}});
    map.addLayer({id: 'measure-line', type: 'line', source: 'measure', filter: ['==', ['geometry-type'], 'LineString'], layout: {'line-cap': 'round', 'line-join': 'round'}, paint: {'line-color': colour('--warn'), 'line-width': 3}});
    map.addLayer({id: 'measure-points', type: 'circle', source: 'measure', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 5, 'circle-color': colour('--surface'), 'circle-stroke-color': colour('--warn'), 'circle-stroke-width': 3}});
  }

  function words() {
    if (points.length < 2) return points.length ? '再点下一个点。' : '在地图上点第一个点，或按“在中间加一点”。';
    return measuredWords(points);
  }

  function show() {
    addLayers();
    map.getSource('measure').setData(on ? drawn() : EMPTY);
    result.textContent = words();
    both.hidden = points.length < 2;
    why.hidden = both.hidden;
    if (!both.hidden) {
      Object.entries(bothFigures(terms, points)).forEach(([name, said]) => { both.querySelector(`[data-figure="${name}"]`).textContent = said; });
      both.querySelector('[data-figures="area"]').hidden = points.length < 3;
    }
    panel.querySelectorAll('[data-needs-point]').forEach((one) => { one.disabled = !points.length; });
  }

  function add(point) {
    if (points.length >= MOST) return;
    points.push(point);
    show();
  }

  function turn(to) {
    if (to) onlyTool(stop);
    on = to;
    points = [];
    panel.hidden = !on;
    button.setAttribute('aria-pressed', String(on));
    map.getContainer().classList.toggle('measuring', on);
    if (on && window.innerWidth <= 640) setSheet('peek'); // the middle of the map must be in sight
    show();
    (on ? panel.querySelector('button') : button).focus();
  }

  function stop() {
    if (on) turn(false);
  }

  button.addEventListener('click', () => turn(!on));
  panel.addEventListener('click', (event) => {
    const act = event.target.closest('[data-measure]');
    if (!act) return;
    if (act.dataset.measure === 'add') add([map.getCenter().lng, map.getCenter().lat]);
    if (act.dataset.measure === 'undo') points.pop();
    if (act.dataset.measure === 'clear') points = [];
    if (act.dataset.measure === 'end') turn(false);
    else show();
  });
  document.addEventListener('keydown', (event) => {
    if (!on || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === 'Escape') turn(false);
    else if (event.key === 'Backspace') points.pop();
    else if (event.key === 'Enter' && event.target.classList.contains('maplibregl-canvas')) points.push([map.getCenter().lng, map.getCenter().lat]);
    else return;
    event.preventDefault();
    if (on) show();
  }, true);
  map.on('style.load', () => { if (on) show(); });
  return {isOn: () => on, add};
}

/** Let a map measure whose clicks mean something else besides; returns whether it is measuring now. */
export function offerMeasuring(map) {
  const {isOn, add} = startMeasuring(map);
  map.on('click', ({lngLat}) => { if (isOn()) add([lngLat.lng, lngLat.lat]); });
  return isOn;
}
