// On the flat maps for the public: past its scale a marked building stands as its model, and offers its digital twin.
import {Near} from './scene-near.js';

const ZOOM = 14; // below, no model is near enough to ask for
const WAIT_MS = 250;

let map = null;
let layer = null;
let making = null;
let timer = 0;
let around = null;
let offer = null;
let toScene = null;

function view() {
  const {lng, lat} = map.getCenter();
  return `v=${map.getZoom().toFixed(2)}/${lat.toFixed(5)}/${lng.toFixed(5)}/${Math.round(map.getBearing())}/${Math.round(map.getPitch())}`;
}

/** Stand where the address says, when somebody comes back from a twin. */
function recall() {
  const [zoom, lat, lon] = (new URLSearchParams(window.location.hash.slice(1)).get('v') || '').split('/').map(Number);
  if (zoom > 0 && Number.isFinite(lat) && Number.isFinite(lon)) map.jumpTo({center: [lon, lat], zoom});
}

/** Under the names and pins of the flat map, which must be read. */
function add() {
  const names = map.getStyle().layers.find((each) => each.type === 'symbol');
  layer.addTo(map, names && names.id);
}

async function draw(near) {
  try {
    if (near.length && !making) {
      making = import('./scene-layer.js').then(({SceneLayer}) => {
        layer = new SceneLayer((scene, state) => { offer.dataset.state = state; });
        add();
      });
    }
    if (making) await making;
    if (layer) layer.show(near);
  } catch (fault) {
    making = null; // the map goes on flat, and the entry stands
  }
}

/** The entries of the twins in view, the nearest to the middle first: two at most, for the map must be seen. */
function offerTwins(near) {
  const {lng, lat} = map.getCenter();
  const far = ({box: [west, south, east, north]}) => Math.hypot((west + east) / 2 - lng, (south + north) / 2 - lat);
  const twins = near.filter((scene) => scene.twin).sort((a, b) => far(a) - far(b)).slice(0, 2);
  const keys = twins.map((scene) => scene.key).join();
  if (offer.dataset.keys !== keys) {
    offer.dataset.keys = keys;
    offer.replaceChildren(...twins.map((scene) => {
      const link = document.createElement('a');
      link.className = 'button primary';
      link.textContent = `进入数字孪生：${scene.title}`;
      link.dataset.twin = scene.twin;
      return link;
    }));
  }
  offer.hidden = !twins.length;
  lead();
}

function lead() {
  toScene.href = `/scene#${view()}`;
  const from = encodeURIComponent(window.location.pathname + window.location.search);
  offer.querySelectorAll('a').forEach((link) => { link.href = `${link.dataset.twin}#${view()}&back=${from}`; });
}

async function look() {
  lead();
  let near = [];
  try {
    if (map.getZoom() >= ZOOM) near = (await around.of(map)).filter((scene) => scene.twin && map.getZoom() >= scene.min_zoom);
  } catch (fault) {
    return; // the flat map is whole without them
  }
  offerTwins(near);
  draw(near);
}

/** Watch a flat map that has begun. */
export function followTwins(begun) {
  map = begun;
  toScene = document.getElementById('to-scene');
  offer = document.getElementById('twin-offer');
  if (!toScene || !offer) return;
  around = new Near(toScene.dataset.scenes);
  const begin = () => {
    recall();
    look();
  };
  map.on('moveend', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(look, WAIT_MS);
  });
  map.on('style.load', () => { if (layer) add(); });
  if (map.loaded()) begin();
  else map.once('load', begin);
}
