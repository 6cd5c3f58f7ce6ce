// Clicks on a scene: what is there and how high, or the distance between two points: along the ground, upwards, and straight.
import {metresBetween} from './measure.js';
import {beyond, groundAlong, lonLatOf, pixelOf, pointAlong, rayThrough, unitsAt} from './scene-sight.js';
import {STOREY_M, whiteAlong} from './scene-white.js';

const SVG = 'http://www.w3.org/2000/svg';
const metres = (value) => (Math.abs(value) < 1000 ? `${value.toFixed(1)} 米` : `${(value / 1000).toFixed(2)} 公里`);

const WITHIN_M = 0.5;

/**
 * What is seen first at a pixel: a placed model, a white model or the ground; nothing in the sky. `height` is metres above the ground of the map,
 * `within` a point of the building (degrees): a wall that was met stands on its edge.
 */
export function seenAt(map, layer, pixel) {
  const ray = rayThrough(map, pixel);
  const model = layer && layer.along(ray);
  const white = whiteAlong(map, [pixel.x, pixel.y], ray);
  const ground = groundAlong(ray);
  if (model && !(white && white.t < model.t)) return {on: 'model', ...model, within: beyond(ray, model.mercator, WITHIN_M)};
  const t = white ? white.t : ground;
  if (t === null) return null;
  const mercator = pointAlong(ray, t);
  const [lon, lat] = lonLatOf(mercator);
  if (!white) return {on: 'ground', lon, lat, mercator, height: 0};
  const height = mercator[2] / unitsAt(lat)[2];
  const within = height > white.top - 0.01 ? [lon, lat] : beyond(ray, mercator, WITHIN_M);
  return {on: 'white', lon, lat, mercator, height, within, known: white.known, top: white.top};
}

function placeWords({lon, lat}) {
  return `东经 ${lon.toFixed(6)}°，北纬 ${lat.toFixed(6)}°（CGCS2000）`;
}

/** What a click says, as lines. */
export function seenWords(seen) {
  if (!seen) return ['这里是天空。请点建筑、模型或地面。'];
  if (seen.on === 'ground') return ['地面', placeWords(seen)];
  if (seen.on === 'white') {
    const height = seen.known ? `建筑高 ${seen.top.toFixed(1)} 米（底图登记，从地面算）` : `高度未知，按一层 ${STOREY_M} 米示意`;
    return [`白模 · ${height}`, `点到的地方离地 ${seen.height.toFixed(1)} 米`, placeWords(seen)];
  }
  const lines = [`${seen.entry.title} · 离地 ${seen.height.toFixed(1)} 米（从地图的地面算）`];
  if ('ellipsoidal' in seen) lines.push(`椭球高 ${seen.ellipsoidal.toFixed(1)} 米（CGCS2000 椭球）`);
  return [...lines, placeWords(seen), [seen.entry.source, seen.entry.as_of && `${seen.entry.as_of} 的数据`].filter(Boolean).join(' · ')];
}

/** The three distances between two points, in metres. */
export function between(from, to) {
  const flat = metresBetween([from.lon, from.lat], [to.lon, to.lat]);
  const rise = to.height - from.height;
  return {flat, rise, straight: Math.hypot(flat, rise)};
}

export function betweenWords(from, to) {
  const {flat, rise, straight} = between(from, to);
  const higher = Math.abs(rise) < 0.05 ? '两点一样高' : `第二点${rise > 0 ? '高' : '低'} ${metres(Math.abs(rise))}`;
  return [`水平 ${metres(flat)}，${higher}`, `直线（斜距）${metres(straight)}`];
}

/** A line over the map between two points in space, which follows the map. */
export class SightLine {
  constructor(map, svg) {
    this.map = map;
    this.svg = svg;
    this.points = [];
    map.on('render', () => this.draw());
  }

  set(points) {
    this.points = points;
    this.draw();
  }

  draw() {
    const at = this.points.map(({mercator}) => pixelOf(this.map, mercator));
    this.svg.replaceChildren();
    if (at.length > 1 && at.every(Boolean)) {
      ['sight-under', 'sight'].forEach((name) => this.add('line', {class: name, x1: at[0].x, y1: at[0].y, x2: at[1].x, y2: at[1].y}));
    }
    at.filter(Boolean).forEach(({x, y}) => this.add('circle', {class: 'sight-end', cx: x, cy: y, r: 6}));
  }

  add(name, given) {
    const node = document.createElementNS(SVG, name);
    Object.entries(given).forEach(([key, value]) => node.setAttribute(key, value));
    this.svg.append(node);
  }
}
