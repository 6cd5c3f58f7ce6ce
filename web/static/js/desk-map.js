// The map of the desk: one way to open it on our own tiles, for points, outlines and many rows.
import * as maplibre from '../vendor/maplibre-gl.mjs';
import {offerBases, recallBase, styleOf} from './basemaps.js';
import {offerPicture} from './picture.js';
import {pinAt} from './pin.js';
import {followScale} from './scale.js';
import {dark} from './scheme.js';

export {maplibre};
const EMPTY = {type: 'FeatureCollection', features: []};
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const loading = new Map();

/** A colour of the page's own tokens. */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function loadStyles(address) {
  if (!loading.has(address)) {
    loading.set(address, new Promise((resolve, reject) => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = address;
      link.onload = resolve;
      link.onerror = reject;
      document.head.append(link);
    }));
  }
  return loading.get(address);
}

/** Open a map in a holder that says where styles, worker and the box of the city are; its buttons stand beside it. */
export async function openMap(holder, options) {
  const styled = () => styleOf(holder, dark.matches ? 'dark' : 'light');
  await Promise.all([loadStyles(holder.dataset.css), recallBase(holder)]);
  maplibre.setWorkerUrl(new URL(holder.dataset.worker, window.location.href).href);
  const box = holder.dataset.bbox.split(',').map(Number);
  const map = new maplibre.Map({
    container: holder,
    ...(holder.currentCSSZoom > 1 ? {pixelRatio: devicePixelRatio * holder.currentCSSZoom} : {}), // a doubled wall stays sharp
    style: styled(),
    maxBounds: [[box[0] - 2, box[1] - 1], [box[2] + 2, box[3] + 1]], // a wide map, too, holds the whole city
    maxZoom: 19,
    fadeDuration: still.matches ? 0 : 300,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    localIdeographFontFamily: '"PingFang SC","HarmonyOS Sans SC","Microsoft YaHei UI","Noto Sans CJK SC",sans-serif',
    locale: {'Map.Title': '地图'},
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  holder.quantu = map; // for those who look into the page: tests, and the console
  map.on('load', () => { holder.dataset.ready = 'true'; });
  const restyle = () => map.setStyle(styled(), {diff: false});
  dark.addEventListener('change', restyle);
  offerBases(holder, map, restyle);
  offerPicture(holder, map);
  const scale = holder.parentElement.querySelector('[data-scale]');
  if (scale) followScale(map, scale.lastElementChild, scale.firstElementChild);
  holder.parentElement.querySelectorAll('[data-zoom]').forEach((button) => {
    button.addEventListener('click', () => (Number(button.dataset.zoom) > 0 ? map.zoomIn() : map.zoomOut()));
  });
  return map;
}

function boundsOf(coordinates, bounds = new maplibre.LngLatBounds()) {
  if (typeof coordinates[0] === 'number') return bounds.extend(coordinates);
  coordinates.forEach((each) => boundsOf(each, bounds));
  return bounds;
}

/** Draw one point as a pin, or an outline with its edge. */
export async function showShape(holder, shape) {
  const {type, coordinates} = shape.geometry;
  if (type === 'Point') {
    const map = await openMap(holder, {center: coordinates, zoom: 16});
    pinAt(map, coordinates);
    return map;
  }
  const map = await openMap(holder, {bounds: boundsOf(coordinates), fitBoundsOptions: {padding: 24, maxZoom: 17}});
  map.on('style.load', () => {
    map.addSource('shape', {type: 'geojson', data: shape});
    map.addLayer({id: 'shape', type: 'fill', source: 'shape', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
    map.addLayer({id: 'shape-edge', type: 'line', source: 'shape', layout: {'line-join': 'round'}, paint: {'line-color': token('--accent'), 'line-width': 3}});
  });
  return map;
}

/** Draw many rows: dots, and circles with a count where they lie close; what is asked follows the map. */
export async function showPins(holder, opened) {
  const whole = (holder.dataset.box || holder.dataset.bbox).split(',').map(Number);
  const map = await openMap(holder, {bounds: [[whole[0], whole[1]], [whole[2], whole[3]]], fitBoundsOptions: {padding: 48, maxZoom: 16}});
  let asked = null;
  const draw = async () => {
    if (!map.getSource('pins')) return;
    if (asked) asked.abort();
    asked = new AbortController();
    const box = map.getBounds();
    const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(6)).join(',');
    try {
      const answer = await fetch(`${holder.dataset.pins}&bbox=${bbox}`, {signal: asked.signal, headers: {Accept: 'application/json'}});
      if (!answer.ok) throw new Error(String(answer.status));
      map.getSource('pins').setData(await answer.json());
      holder.dataset.drawn = 'true';
    } catch (fault) {
      if (fault.name === 'AbortError') return;
      document.getElementById('pins-said').textContent = '没能取到地图上的位置，请移动一下地图再试，或看列表。';
    }
  };
  map.on('style.load', () => {
    map.addSource('pins', {type: 'geojson', data: EMPTY});
    const many = ['>', ['get', 'count'], 1];
    map.addLayer({id: 'pins', type: 'circle', source: 'pins', paint: {
      'circle-radius': ['case', many, ['min', 30, ['+', 12, ['*', 5, ['log10', ['get', 'count']]]]], 7],
      'circle-color': token('--accent'), 'circle-stroke-color': token('--pin-ring'), 'circle-stroke-width': 2,
    }});
    map.addLayer({id: 'pin-counts', type: 'symbol', source: 'pins', filter: many, layout: {
      'text-field': ['to-string', ['get', 'count']], 'text-size': 13, 'text-font': ['sans-serif'], 'text-allow-overlap': true,
    }, paint: {'text-color': token('--on-accent')}});
    draw();
  });
  map.on('moveend', draw);
  map.on('click', 'pins', (event) => {
    const [found] = event.features;
    if (found.properties.count > 1) map.easeTo({center: found.geometry.coordinates, zoom: map.getZoom() + 2});
    else opened(found.properties.pk);
  });
  map.on('mouseenter', 'pins', () => { map.getCanvas().style.cursor = 'pointer'; });
  map.on('mouseleave', 'pins', () => { map.getCanvas().style.cursor = ''; });
  return map;
}
