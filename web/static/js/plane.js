// The city's metre plane in the browser: transverse Mercator by the terms the server tells (geo/crs/planes.py), to a micrometre. Pure.
const rad = (degrees) => (degrees * Math.PI) / 180;

/** Metres [east, north] of a point [lon, lat] in CGCS2000 degrees; null outside the area where the plane may be used. */
export function onPlane(plane, [lon, lat]) {
  const [west, south, east, north] = plane.area;
  if (!(lon >= west && lon <= east && lat >= south && lat <= north)) return null;
  const e = Math.sqrt(plane.eccentricity2);
  const sine = Math.sin(rad(lat));
  const cosine = Math.cos(rad(lat));
  const away = rad(lon - plane.meridian);
  // conformal latitude and longitude on the sphere, both times the cosine of the latitude
  const sigma = Math.sinh(e * Math.atanh(e * sine));
  const up = sine * Math.hypot(1, sigma) - sigma;
  const ahead = Math.cos(away) * cosine;
  const xi = Math.atan2(up, ahead);
  const eta = Math.asinh((Math.sin(away) * cosine) / Math.hypot(up, ahead));
  let [x, y] = [eta, xi];
  plane.series.forEach((term, at) => {
    const turns = 2 * (at + 1);
    x += term * Math.cos(turns * xi) * Math.sinh(turns * eta);
    y += term * Math.sin(turns * xi) * Math.cosh(turns * eta);
  });
  return [plane.east + plane.radius * x, plane.north + plane.radius * y];
}

function placed(plane, points) {
  const found = points.map((point) => onPlane(plane, point));
  return found.includes(null) ? null : found;
}

/** Metres along a line of points, straight on the plane from each to the next; null where the plane may not be used. */
export function planeLengthOf(plane, points) {
  const found = placed(plane, points);
  return found && found.slice(1).reduce((sum, [x, y], at) => sum + Math.hypot(x - found[at][0], y - found[at][1]), 0);
}

/** Square metres inside a ring of points with straight sides on the plane; null where the plane may not be used. */
export function planeAreaOf(plane, points) {
  const found = placed(plane, points);
  if (!found || found.length < 3) return found && 0;
  const [[left, low]] = found; // from the first point on, so that nothing large is taken from something large
  const twice = found.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = found[(at + 1) % found.length];
    return sum + (x - left) * (nextY - low) - (nextX - left) * (y - low);
  }, 0);
  return Math.abs(twice) / 2;
}
