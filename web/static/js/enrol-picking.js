// 入园: an address picked on the map. Where the pin stands is sent by POST alone; the doors nearest to it come back to choose from.
import {say} from './announce.js';
import {openMap} from './desk-map.js';
import {locate} from './location.js';
import {movablePin} from './pin.js';
import {metresAPixel} from './scale.js';

const WAIT_MS = 250;
const NEAR_ZOOM = 17;
const FAR_ZOOM = 15;
const STEP_PX = 8;
const PIN_SAID = '标记，按方向键移动，同时按住 Shift 移得远些，按回车到最近的门牌';
const FAILED = '没能取到附近的门牌。请稍等再点一次，或直接写地址。';

/** Open the map in a panel below the box of the address; what is chosen there goes to `choose`. */
export async function startPicking(panel, box, home, choose) {
  const holder = panel.querySelector('.map');
  const list = panel.querySelector('#pick-doors');
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const edges = holder.dataset.bbox.split(',').map(Number);
  const whole = {bounds: [[edges[0], edges[1]], [edges[2], edges[3]]]};
  let timer = 0;
  let asked = 0;

  const map = await openMap(holder, home ? {center: home, zoom: NEAR_ZOOM} : whole);
  map.getCanvas().tabIndex = -1; // the pin is what keys move
  const pin = movablePin(map, map.getCenter(), {
    label: PIN_SAID,
    step: () => STEP_PX * metresAPixel(map),
    moved,
    entered: () => {
      const first = list.querySelector('[data-address]');
      if (first) first.focus();
    },
  });

  function show(html) {
    list.innerHTML = html;
    const count = list.querySelectorAll('[data-address]').length;
    const said = list.querySelector('.notice');
    say(count ? `最近的 ${count} 个门牌：${list.querySelector('[data-address]').dataset.address}` : said ? said.textContent : '');
  }

  function fail() {
    const note = document.createElement('p');
    note.className = 'notice warn';
    note.textContent = FAILED;
    list.replaceChildren(note);
    say(FAILED);
  }

  /** Ask for the doors near what `fields` say, and lead the pin there where it is somewhere else. */
  async function ask(fields, lead) {
    window.clearTimeout(timer);
    const mine = ++asked;
    const body = new FormData();
    body.set('csrfmiddlewaretoken', box.form.elements.csrfmiddlewaretoken.value);
    Object.entries(fields).forEach(([name, value]) => body.set(name, value));
    try {
      const response = await fetch(panel.dataset.doors, {method: 'POST', body, credentials: 'same-origin'});
      if (!response.ok) throw new Error(String(response.status));
      const html = await response.text();
      if (mine !== asked) return;
      show(html);
    } catch (fault) {
      if (mine === asked) fail();
      return;
    }
    const {lon, lat} = list.firstElementChild.dataset;
    if (!lead || !lon) return;
    pin.setLngLat([Number(lon), Number(lat)]);
    map.jumpTo({center: pin.getLngLat(), zoom: NEAR_ZOOM});
  }

  function moved(at) {
    if (!map.getBounds().contains(at)) map.panTo(at, {duration: still ? 0 : 200});
    window.clearTimeout(timer);
    timer = window.setTimeout(() => ask({lon: at.lng.toFixed(6), lat: at.lat.toFixed(6)}, false), WAIT_MS);
  }

  map.on('click', (event) => {
    pin.setLngLat(event.lngLat);
    if (map.getZoom() < FAR_ZOOM) map.easeTo({center: event.lngLat, zoom: NEAR_ZOOM, duration: still ? 0 : 300});
    moved(event.lngLat);
  });
  panel.querySelector('[data-here]').addEventListener('click', async () => {
    say('正在取您的位置');
    try {
      const here = await locate();
      ask({lon: here.lon, lat: here.lat, crs: here.system}, true);
    } catch (refused) {
      list.innerHTML = '<p class="notice warn">没有拿到您的位置。请在地图上点，或直接写地址。</p>';
    }
  });
  list.addEventListener('click', (event) => {
    const door = event.target.closest('[data-address]');
    if (door) choose(door.dataset.address);
  });
  if (box.value.trim()) ask({address: box.value.trim()}, true);
}
