// Where the sun stands (J. Meeus, Astronomical Algorithms, chapter 25, to a hundredth of a degree), and the light it gives a scene. Pure.
const rad = (degrees) => (degrees * Math.PI) / 180;
const deg = (radians) => (radians * 180) / Math.PI;
const sin = (degrees) => Math.sin(rad(degrees));
const cos = (degrees) => Math.cos(rad(degrees));
const turn = (degrees) => ((degrees % 360) + 360) % 360;

/** The sun at a moment (milliseconds since 1970, UTC) over a place: azimuth clockwise from the north and geometric altitude, in degrees. */
export function sunAt(moment, lon, lat) {
  const day = moment / 86400000 + 2440587.5 - 2451545; // days since noon of 1 January 2000
  const t = day / 36525;
  const mean = 280.46646 + t * (36000.76983 + 0.0003032 * t);
  const anomaly = 357.52911 + t * (35999.05029 - 0.0001537 * t);
  const centre = sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t)) + sin(2 * anomaly) * (0.019993 - 0.000101 * t) + sin(3 * anomaly) * 0.000289;
  const node = 125.04 - 1934.136 * t;
  const seen = mean + centre - 0.00569 - 0.00478 * sin(node);
  const tilt = 23.4392911 - t * (0.0130042 + t * (1.64e-7 - 5.04e-7 * t)) + 0.00256 * cos(node);
  const ascension = deg(Math.atan2(cos(tilt) * sin(seen), cos(seen)));
  const declination = deg(Math.asin(sin(tilt) * sin(seen)));
  const hour = 280.46061837 + 360.98564736629 * day + t * t * (0.000387933 - t / 38710000) + lon - ascension;
  const altitude = deg(Math.asin(sin(lat) * sin(declination) + cos(lat) * cos(declination) * cos(hour)));
  const azimuth = turn(180 + deg(Math.atan2(sin(hour), cos(hour) * sin(lat) - (sin(declination) / cos(declination)) * cos(lat))));
  return {azimuth, altitude};
}

function step(from, to, value) {
  const part = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return part * part * (3 - 2 * part);
}

/**
 * The light of a sun: `towards` is the unit vector to it (east, north, up), `direct` and `sky` are the shares 0…1 of its beams
 * and of the sky. By night no beams come from below: what is left comes from above and is dim.
 */
export function lightOf({azimuth, altitude}) {
  const up = altitude > 0;
  return {
    up,
    towards: up ? [sin(azimuth) * cos(altitude), cos(azimuth) * cos(altitude), sin(altitude)] : [0, 0, 1],
    direct: step(0, 12, altitude),
    sky: 0.6 + 0.4 * step(-8, 10, altitude),
  };
}

/** The same light in the words of a MapLibre style. */
export function styleLight(sun) {
  const {up, direct, sky} = lightOf(sun);
  const grey = Math.round(255 * sky);
  return {
    anchor: 'map',
    position: [1, up ? sun.azimuth : 0, up ? 90 - sun.altitude : 0],
    intensity: 0.15 + 0.2 * direct,
    color: `rgb(${grey}, ${grey}, ${grey})`,
  };
}

const WINDS = ['北', '东北', '东', '东南', '南', '西南', '西', '西北'];

/** An azimuth in words: one of eight winds. */
export function windOf(azimuth) {
  return WINDS[Math.round(turn(azimuth) / 45) % 8];
}

export function sunWords({azimuth, altitude}) {
  if (altitude <= 0) return '太阳在地平线下，只有天光。';
  return `太阳在${windOf(azimuth)}方（方位 ${Math.round(azimuth) % 360}°），高 ${altitude.toFixed(1)}°。`;
}
