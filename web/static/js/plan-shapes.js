// What the planner's table draws: areas in four colours, the chosen one, faults with a lens for small ones, what lies under them.
import {maplibre} from './desk-map.js';

export const EMPTY = {type: 'FeatureCollection', features: []};
const SVG = 'http://www.w3.org/2000/svg';
const FAINT = {before: ['--ink-2', 1.6, [3, 2]], streets: ['--ink-3', 1.8, null], committees: ['--ink-3', 1, [1, 2]], communities: ['--control', 1, null]};

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export const feature = (geometry, properties = {}) => ({type: 'Feature', properties, geometry});
export const collection = (features) => ({type: 'FeatureCollection', features});

/** The drawing of the table on a map; everything shown is set by `show(source, data)` and survives a change of style. */
export class Shapes {
  constructor(map) {
    Object.assign(this, {map, data: new Map(), label: null, hidden: new Set()});
    map.on('style.load', () => this.layers());
  }

  show(source, data) {
    this.data.set(source, data);
    const kept = this.map.getSource(source);
    if (kept) kept.setData(data);
  }

  layers() {
    const {map} = this;
    const first = map.getStyle().layers.find((layer) => layer.type === 'symbol');
    const below = first && first.id;
    const add = (layer, before = below) => map.addLayer(layer, before);
    ['before', 'streets', 'committees', 'communities', 'doors', 'sites', 'areas', 'chosen', 'preview', 'flaws', 'sketch'].forEach((name) => {
      map.addSource(name, {type: 'geojson', data: this.data.get(name) || EMPTY});
    });
    const colour = ['match', ['get', 'colour'], 1, token('--category-1'), 2, token('--category-2'), 3, token('--category-3'), 4, token('--category-4'), token('--ink-3')];
    const round = {'line-join': 'round', 'line-cap': 'round'};
    add({id: 'areas', type: 'fill', source: 'areas', paint: {'fill-color': colour, 'fill-opacity': 0.1}});
    Object.entries(FAINT).forEach(([name, [ink, width, dash]]) => {
      add({id: name, type: 'line', source: name, layout: round, paint: {'line-color': token(ink), 'line-width': width, ...(dash ? {'line-dasharray': dash} : {})}});
    });
    add({id: 'area-edges', type: 'line', source: 'areas', layout: round, paint: {'line-color': colour, 'line-width': 1.6}});
    add({id: 'chosen', type: 'fill', source: 'chosen', paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
    add({id: 'chosen-edge', type: 'line', source: 'chosen', layout: round, paint: {'line-color': token('--accent'), 'line-width': 3}});
    add({id: 'preview', type: 'fill', source: 'preview', paint: {'fill-color': token('--good'), 'fill-opacity': 0.16}});
    add({id: 'preview-edge', type: 'line', source: 'preview', layout: {'line-join': 'round'}, paint: {'line-color': token('--good'), 'line-width': 3, 'line-dasharray': [2, 1.6]}});
    const grave = ['match', ['get', 'level'], 'error', token('--bad'), 'warning', token('--warn'), token('--accent')];
    add({id: 'flaws', type: 'fill', source: 'flaws', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': grave, 'fill-opacity': 0.35}});
    add({id: 'flaw-edges', type: 'line', source: 'flaws', filter: ['!=', ['geometry-type'], 'Point'], layout: round, paint: {'line-color': grave, 'line-width': 2}});
    add({id: 'flaw-spots', type: 'circle', source: 'flaws', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 10, 'circle-opacity': 0, 'circle-stroke-color': grave, 'circle-stroke-width': 3}});
    add({id: 'sketch', type: 'fill', source: 'sketch', filter: ['==', ['geometry-type'], 'Polygon'], paint: {'fill-color': token('--circle'), 'fill-opacity': 0.16}});
    add({id: 'sketch-line', type: 'line', source: 'sketch', filter: ['!=', ['geometry-type'], 'Point'], layout: round, paint: {'line-color': token('--accent'), 'line-width': 3}});
    add({id: 'sketch-points', type: 'circle', source: 'sketch', filter: ['==', ['geometry-type'], 'Point'], paint: {'circle-radius': 5, 'circle-color': token('--surface'), 'circle-stroke-color': token('--accent'), 'circle-stroke-width': 2.4}});
    const top = (layer) => map.addLayer(layer);
    top({id: 'doors', type: 'circle', source: 'doors', minzoom: 14, paint: {'circle-radius': 2.6, 'circle-color': token('--ink-3')}});
    top({id: 'sites', type: 'circle', source: 'sites', paint: {'circle-radius': 5, 'circle-color': token('--surface'), 'circle-stroke-color': token('--accent'), 'circle-stroke-width': 2.4}});
    const named = {'text-size': 13, 'text-font': ['sans-serif'], 'text-padding': 6};
    const halo = {'text-color': token('--ink'), 'text-halo-color': token('--surface'), 'text-halo-width': 2.2};
    top({id: 'area-names', type: 'symbol', source: 'areas', layout: {...named, 'text-field': ['get', 'name']}, paint: halo});
    top({id: 'door-names', type: 'symbol', source: 'doors', minzoom: 17, layout: {...named, 'text-size': 11, 'text-field': ['get', 'name'], 'text-anchor': 'top', 'text-offset': [0, 0.4]}, paint: {...halo, 'text-color': token('--ink-2')}});
  }

  /** Write the name and figures of the chosen area into its middle. */
  name(area, spot) {
    if (this.label) this.label.remove();
    this.label = null;
    if (!area || !spot) return;
    const node = document.createElement('div');
    node.className = 'plan-label chosen';
    node.append(area.name);
    const small = document.createElement('small');
    small.textContent = [area.size, area.doors === null ? '' : `${area.doors} 个门牌`].filter(Boolean).join(' · ');
    node.append(small);
    this.label = new maplibre.Marker({element: node}).setLngLat(spot).addTo(this.map);
  }
}

export function boundsOf(geometry) {
  const bounds = new maplibre.LngLatBounds();
  const walk = (coordinates) => (typeof coordinates[0] === 'number' ? bounds.extend(coordinates.slice(0, 2)) : coordinates.forEach(walk));
  if (geometry.type === 'GeometryCollection') geometry.geometries.forEach((each) => walk(each.coordinates));
  else if (geometry.coordinates.length) walk(geometry.coordinates);
  return bounds;
}

/** A spot for a label: the middle of the widest stretch of the area at the height of its middle. */
export function middleOf(geometry) {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  const bounds = boundsOf(geometry);
  const lat = (bounds.getSouth() + bounds.getNorth()) / 2 + 1e-9;
  const crossings = [];
  polygons.forEach((rings) => rings.forEach((ring) => ring.slice(1).forEach((to, at) => {
    const from = ring[at];
    if ((from[1] > lat) !== (to[1] > lat)) crossings.push(from[0] + ((lat - from[1]) / (to[1] - from[1])) * (to[0] - from[0]));
  })));
  crossings.sort((a, b) => a - b);
  let best = null;
  for (let at = 0; at + 1 < crossings.length; at += 2) {
    if (!best || crossings[at + 1] - crossings[at] > best[1] - best[0]) best = [crossings[at], crossings[at + 1]];
  }
  return best ? [(best[0] + best[1]) / 2, lat] : null;
}

function node(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, String(value)));
  parent.append(made);
  return made;
}

/** A ring around a fault that is too small to see, and a lens beside it that shows it large with its measure. */
export function drawLens(svg, map, fault, mine, theirs) {
  svg.replaceChildren();
  svg.setAttribute('hidden', '');
  if (!fault || !fault.geometry.type.endsWith('Polygon') || window.innerWidth < 961) return;
  const bounds = boundsOf(fault.geometry);
  const [low, high] = [map.project(bounds.getSouthWest()), map.project(bounds.getNorthEast())];
  const [wide, tall] = [Math.max(0.5, high.x - low.x), Math.max(0.5, low.y - high.y)];
  const [x, y] = [(low.x + high.x) / 2, (low.y + high.y) / 2];
  const box = {width: map.getContainer().clientWidth, height: map.getContainer().clientHeight};
  if (Math.min(wide, tall) > 16 || Math.max(wide, tall) > 420 || x < 0 || y < 0 || x > box.width || y > box.height) return;
  const radius = 88;
  const lens = {x: x > box.width * 0.6 ? 80 + radius + 30 : box.width - radius - 70, y: y > box.height * 0.5 ? radius + 24 : box.height - radius - 120};
  const scale = Math.min(14, Math.max(96 / Math.max(wide, tall), 18 / Math.min(wide, tall)));
  const ring = Math.min(Math.max(18, Math.hypot(wide, tall) / 2 + 8), 34);
  const turn = Math.atan2(lens.y - y, lens.x - x);
  svg.removeAttribute('hidden');
  const clip = node('clipPath', {id: 'plan-lens'}, node('defs', {}, svg));
  node('circle', {cx: lens.x, cy: lens.y, r: radius}, clip);
  node('circle', {class: 'ring', cx: x, cy: y, r: ring}, svg);
  node('line', {class: 'leader', x1: x + ring * Math.cos(turn), y1: y + ring * Math.sin(turn), x2: lens.x - radius * Math.cos(turn), y2: lens.y - radius * Math.sin(turn)}, svg);
  node('circle', {class: 'lens', cx: lens.x, cy: lens.y, r: radius}, svg);
  const inside = node('g', {'clip-path': 'url(#plan-lens)'}, svg);
  const path = (geometry) => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates).flat().map((corners) => corners.map((point, at) => {
    const spot = map.project(point.slice(0, 2));
    return `${at ? 'L' : 'M'}${(lens.x + (spot.x - x) * scale).toFixed(1)} ${(lens.y + (spot.y - y) * scale).toFixed(1)}`;
  }).join('') + 'Z').join('');
  if (theirs) node('path', {class: 'theirs', d: path(theirs)}, inside);
  if (mine) node('path', {class: 'mine', d: path(mine)}, inside);
  node('path', {class: 'fault', d: path(fault.geometry)}, inside);
  node('circle', {class: 'ring', cx: lens.x, cy: lens.y, r: radius}, svg);
  const words = fault.properties.said;
  const width = words.length * 11 + 16;
  node('rect', {x: lens.x - width / 2, y: lens.y + radius - 10, width, height: 24, rx: 12}, svg);
  node('text', {x: lens.x, y: lens.y + radius + 7}, svg).textContent = words;
}
