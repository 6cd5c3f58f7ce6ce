// Where the user is, through one adapter that names the datum of what it returns. The page never guesses a datum.
import {say} from './announce.js';

const WAIT_MS = 12000;

/**
 * Super-app bridges, as data: the global object that shows we run inside the app, how its function is called, the
 * arguments it takes, the names of its results, and the datum it returns.
 */
export const BRIDGES = [
  {name: '微信', object: 'wx', method: 'getLocation', call: 'options', args: {type: 'gcj02'}, lon: 'longitude', lat: 'latitude', accuracy: 'accuracy', system: 'gcj02'},
  {name: '支付宝', object: 'AlipayJSBridge', method: 'call', call: 'named', named: 'getLocation', args: {requestType: 0}, lon: 'longitude', lat: 'latitude', accuracy: 'accuracy', system: 'gcj02'},
];

function bridgeHere() {
  return BRIDGES.find((bridge) => {
    const object = window[bridge.object];
    return object && typeof object[bridge.method] === 'function';
  });
}

/** What a telephone may say beside a position: metres above the sea, metres a second, its own time, whether it was made up. */
function beside(said, at) {
  const number = (value) => (typeof value === 'number' && isFinite(value) ? value : null);
  return {altitude: number(said.altitude), speed: number(said.speed), at: Math.round(number(at) || Date.now()), mock: Boolean(said.isMock || said.isFromMockProvider)};
}

function fromBridge(bridge) {
  return new Promise((resolve, reject) => {
    const done = (result) => {
      const lon = Number(result && result[bridge.lon]);
      const lat = Number(result && result[bridge.lat]);
      if (!isFinite(lon) || !isFinite(lat) || (lon === 0 && lat === 0)) reject(new Error('no position'));
      else resolve(Object.assign({lon, lat, system: bridge.system, accuracy: Number(result[bridge.accuracy]) || null, source: bridge.name}, beside(result, Date.now())));
    };
    const object = window[bridge.object];
    window.setTimeout(() => reject(new Error('timeout')), WAIT_MS);
    if (bridge.call === 'named') object[bridge.method](bridge.named, bridge.args || {}, done);
    else object[bridge.method](Object.assign({}, bridge.args, {success: done, fail: reject}));
  });
}

function fromBrowser(fresh) {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) {
      reject(new Error('none'));
      return;
    }
    navigator.geolocation.getCurrentPosition(
      (position) => resolve(Object.assign({
        lon: position.coords.longitude,
        lat: position.coords.latitude,
        system: 'wgs84',
        accuracy: position.coords.accuracy,
        source: '浏览器',
      }, beside(position.coords, position.timestamp))),
      reject,
      {enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: fresh ? 0 : 60000},
    );
  });
}

/** Return {lon, lat, system, accuracy, source, altitude, speed, at, mock}; rejects when the user or the device refuses. */
export function locate({fresh = false} = {}) {
  const bridge = bridgeHere();
  return bridge ? fromBridge(bridge) : fromBrowser(fresh);
}

const REFUSED = '没有拿到您的位置。可以输入路名、小区名，或在地图上点一下。';

function refused() {
  const body = document.getElementById('sheet-body') || document.getElementById('main');
  const old = document.getElementById('locate-fault');
  if (old) old.remove();
  const note = document.createElement('p');
  note.id = 'locate-fault';
  note.className = 'notice warn door-fault';
  note.setAttribute('role', 'alert');
  note.textContent = REFUSED;
  body.prepend(note);
}

export function hereUrl(position) {
  const url = new URL(window.location.href);
  url.searchParams.set('lon', position.lon.toFixed(6));
  url.searchParams.set('lat', position.lat.toFixed(6));
  url.searchParams.set('crs', position.system);
  url.searchParams.set('at', '我的位置');
  ['q', 'place', 'change', 'cursor'].forEach((key) => url.searchParams.delete(key));
  return url.pathname + url.search;
}

/** Let every button marked data-locate find the user and then `show` the address that begins there. */
export function startLocate(show) {
  document.addEventListener('click', async (event) => {
    const button = event.target.closest && event.target.closest('[data-locate], #locate');
    if (!button) return;
    button.setAttribute('aria-busy', 'true');
    say('正在取您的位置');
    try {
      show(hereUrl(await locate()));
    } catch (error) {
      refused();
    }
    button.removeAttribute('aria-busy');
  });
}
