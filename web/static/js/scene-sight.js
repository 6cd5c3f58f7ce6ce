// The line of sight through a pixel of a tilted map, and what it meets. Pure: all is in Mercator units (x east, y south, z up, alike in scale).
const ROUND = 2 * Math.PI;
const MAP_RADIUS = 6371008.8; // what MapLibre takes for heights
const A = 6378137;
const E2 = 0.00669438002290; // of CGCS2000
const rad = (degrees) => (degrees * Math.PI) / 180;
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export function mercatorOf([lon, lat]) {
  return [(lon + 180) / 360, 0.5 - Math.log(Math.tan(Math.PI / 4 + rad(lat) / 2)) / ROUND];
}

export function lonLatOf([x, y]) {
  return [x * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI];
}

/** Mercator units of a metre to the east, to the north and upwards at a latitude: the first two on the ellipsoid, the last as the map draws heights. */
export function unitsAt(lat) {
  const [s, c] = [Math.sin(rad(lat)), Math.cos(rad(lat))];
  const w = 1 - E2 * s * s;
  return [Math.sqrt(w) / (ROUND * A * c), w ** 1.5 / (ROUND * A * (1 - E2) * c), 1 / (ROUND * MAP_RADIUS * c)];
}

/** The eye of a map without padding and roll: where it is, its axes, and its distance to the middle in pixels. */
function eyeOf(map, bearing = map.getBearing()) {
  const {clientWidth: width, clientHeight: height} = map.getCanvas();
  const away = height / 2 / Math.tan(rad(map.getVerticalFieldOfView()) / 2);
  const world = 512 * 2 ** map.getZoom();
  const {lng, lat} = map.getCenter();
  const [x, y] = mercatorOf([lng, lat]);
  const [sb, cb, st, ct] = [Math.sin(rad(bearing)), Math.cos(rad(bearing)), Math.sin(rad(map.getPitch())), Math.cos(rad(map.getPitch()))];
  const forward = [sb * st, -cb * st, -ct];
  return {
    width, height, away, world, forward,
    right: [cb, sb, 0],
    up: [sb * ct, -cb * ct, st],
    at: [x - (forward[0] * away) / world, y - (forward[1] * away) / world, (-forward[2] * away) / world],
  };
}

/** The ray through a pixel: `at` + t × `along`. */
export function rayThrough(map, {x, y}) {
  const eye = eyeOf(map);
  const [dx, dy] = [x - eye.width / 2, y - eye.height / 2];
  return {at: eye.at, along: [0, 1, 2].map((k) => (eye.forward[k] * eye.away + eye.right[k] * dx - eye.up[k] * dy) / eye.world)};
}

/** The ray from the eye, were the map turned to a bearing, to a point: there t is 1. */
export function rayTo(map, bearing, point) {
  const {at} = eyeOf(map, bearing);
  return {at, along: point.map((value, k) => value - at[k])};
}

/** The pixel where a point is seen; nothing when it is behind the eye. */
export function pixelOf(map, point) {
  const eye = eyeOf(map);
  const seen = [0, 1, 2].map((k) => (point[k] - eye.at[k]) * eye.world);
  const depth = dot(seen, eye.forward);
  if (depth <= 0) return null;
  return {x: eye.width / 2 + (eye.away * dot(seen, eye.right)) / depth, y: eye.height / 2 - (eye.away * dot(seen, eye.up)) / depth};
}

export function pointAlong(ray, t) {
  return [0, 1, 2].map((k) => ray.at[k] + ray.along[k] * t);
}

/** The place (degrees) some metres further along a ray than a point of it, level with that point. */
export function beyond({along}, [x, y], metres) {
  const [, lat] = lonLatOf([x, y]);
  const [east, north] = unitsAt(lat);
  const flat = Math.hypot(along[0] / east, along[1] / north) || 1;
  return lonLatOf([x + (along[0] * metres) / flat, y + (along[1] * metres) / flat]);
}

/** Where a ray meets the ground of the map; nothing above the horizon. */
export function groundAlong(ray) {
  return ray.along[2] < 0 ? -ray.at[2] / ray.along[2] : null;
}

function inside(rings, x, y) {
  let within = false;
  rings.forEach((ring) => ring.forEach(([ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length];
    if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) within = !within;
  }));
  return within;
}

function boxOf(ring) {
  let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
  ring.forEach(([x, y]) => {
    west = Math.min(west, x);
    east = Math.max(east, x);
    north = Math.min(north, y);
    south = Math.max(south, y);
  });
  return {west, north, east, south};
}

/** Whether a corner of one ring lies in the other. */
export function ringsMeet(one, other) {
  const [a, b] = [boxOf(one), boxOf(other)];
  if (a.west > b.east || a.east < b.west || a.north > b.south || a.south < b.north) return false;
  return one.some(([x, y]) => inside([other], x, y)) || other.some(([x, y]) => inside([one], x, y));
}

/** Where a ray first meets an upright block over rings (Mercator units) from the ground up to `top`: roof or wall; nothing when it passes. */
export function blockAlong(ray, rings, top) {
  const [ox, oy, oz] = ray.at;
  const [dx, dy, dz] = ray.along;
  const met = [];
  if (dz !== 0) {
    const t = (top - oz) / dz;
    if (t > 0 && inside(rings, ox + dx * t, oy + dy * t)) met.push(t);
  }
  rings.forEach((ring) => ring.forEach(([ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length];
    const turned = dx * (by - ay) - dy * (bx - ax);
    if (turned === 0) return;
    const t = ((ax - ox) * (by - ay) - (ay - oy) * (bx - ax)) / turned;
    const s = ((ax - ox) * dy - (ay - oy) * dx) / turned;
    const z = oz + dz * t;
    if (t > 0 && s >= 0 && s <= 1 && z >= 0 && z <= top) met.push(t);
  }));
  return met.length ? Math.min(...met) : null;
}
