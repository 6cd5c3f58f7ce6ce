// White models: the buildings of the base map raised to their heights. A building without a height is drawn one storey high, and said so.
import {blockAlong, mercatorOf, unitsAt} from './scene-sight.js';
import {dark} from './scheme.js';

export const STOREY_M = 3;
const STEPS = [10, 24, 50, 100]; // metres: low, several storeys, high (24 m), very high, towers (100 m), as the fire code divides them
const INSET = 0.97; // neighbours only touch a footprint: what is hidden must lie in it
const height = ['coalesce', ['get', 'height_m'], STOREY_M];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colours(byHeight) {
  const steps = STEPS.flatMap((metres, at) => [metres, token(`--quantity-${at + 2}`)]);
  const known = byHeight ? ['step', height, token('--quantity-1'), ...steps] : token(dark.matches ? '--control' : '--surface');
  return ['case', ['has', 'height_m'], known, token('--gap-2')];
}

function inset(ring) {
  const middle = [0, 1].map((k) => ring.slice(1).reduce((sum, point) => sum + point[k], 0) / (ring.length - 1));
  return ring.map((point) => point.map((value, k) => middle[k] + (value - middle[k]) * INSET));
}

/** The outer rings of footprints, a little smaller: what is hidden for them must lie in one. */
export function ringsWithin(footprints) {
  return footprints.map(({type, coordinates}) => (type === 'Polygon' ? [coordinates] : coordinates).map((rings) => inset(rings[0])));
}

/** Add the white models, once the style of a map is there, under the layer that is named. */
export function addWhite(map, {byHeight, zooms: [least, most], before}) {
  if (map.getLayer('white')) return;
  if (!map.getSource('buildings')) {
    map.addSource('buildings', {type: 'vector', tiles: [`${window.location.origin}/tiles/buildings/{z}/{x}/{y}.mvt`], minzoom: least, maxzoom: most});
  }
  map.addLayer({
    id: 'white', type: 'fill-extrusion', source: 'buildings', 'source-layer': 'buildings', minzoom: least,
    paint: {'fill-extrusion-color': colours(byHeight), 'fill-extrusion-height': height, 'fill-extrusion-vertical-gradient': true},
  }, before);
}

export function showWhite(map, shown) {
  if (map.getLayer('white')) map.setLayoutProperty('white', 'visibility', shown ? 'visible' : 'none');
}

export function tintWhite(map, byHeight) {
  if (map.getLayer('white')) map.setPaintProperty('white', 'fill-extrusion-color', colours(byHeight));
}

/** Leave out the buildings for which a model stands. */
export function leaveOut(map, footprints) {
  if (!map.getLayer('white')) return;
  const outside = ringsWithin(footprints).map((rings) => ['>', ['distance', {type: 'MultiPolygon', coordinates: rings.map((ring) => [ring])}], 0]);
  map.setFilter('white', outside.length ? ['all', ...outside] : null);
}

/** The upright blocks (Mercator units, metres) of a building of the tiles. */
export function blocksOf({geometry, properties}) {
  const known = typeof properties.height_m === 'number';
  const top = known ? properties.height_m : STOREY_M;
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  return polygons.map((rings) => ({known, top, high: top * unitsAt(rings[0][0][1])[2], rings: rings.map((ring) => ring.map(mercatorOf))}));
}

/** Whether a white model stands on the first nine tenths of a ray: what stands at its end may be what it goes to. */
export function standsBetween(map, ray) {
  return map.querySourceFeatures('buildings', {sourceLayer: 'buildings'}).flatMap(blocksOf).some(({rings, high}) => {
    const t = blockAlong(ray, rings, high);
    return t !== null && t < 0.9;
  });
}

/** The white model that a ray meets first under a pixel: its height, or none known, and how far along the ray. */
export function whiteAlong(map, pixel, ray) {
  if (!map.getLayer('white') || map.getLayoutProperty('white', 'visibility') === 'none') return null;
  let best = null;
  map.queryRenderedFeatures(pixel, {layers: ['white']}).flatMap(blocksOf).forEach(({known, top, high, rings}) => {
    const t = blockAlong(ray, rings, high);
    if (t !== null && (!best || t < best.t)) best = {t, known, top};
  });
  return best;
}
