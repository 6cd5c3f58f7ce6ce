// What a map stands on: our own drawing, or imagery that staff have connected; the choice is kept on this device.
import {say} from './announce.js';

const KEPT = 'basemap';
const OWN = 'own';
let listed = null;
let count = 0;

function kept() {
  try {
    return window.localStorage.getItem(KEPT) || '';
  } catch (fault) {
    return '';
  }
}

function keep(key) {
  try {
    window.localStorage.setItem(KEPT, key || OWN);
  } catch (fault) {
    // A device that keeps nothing shows what is chosen now, and what the page begins on next time.
  }
}

function forget() {
  try {
    window.localStorage.removeItem(KEPT);
  } catch (fault) {
    // What is not kept need not be forgotten.
  }
}

function switchOf(holder) {
  return holder.parentElement.querySelector('[data-basemaps]');
}

function all(menu) {
  if (!listed) {
    listed = fetch(menu.dataset.basemaps, {headers: {Accept: 'application/json'}}).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    });
    listed.catch(() => { listed = null; });
  }
  return listed;
}

/** Let a map begin on what was chosen last, when that is still there, or on what its page leads with. */
export async function recallBase(holder) {
  const menu = switchOf(holder);
  const chosen = kept();
  const key = chosen || holder.dataset.leads;
  if (!menu || !key || key === OWN) return;
  try {
    const found = (await all(menu)).basemaps.find((each) => each.key === key);
    if (found) stand(holder, found);
    else if (chosen) forget();
  } catch (fault) {
    // Without the list the map stands on our own.
  }
}

/** Return the address of the style of a name (light, dark, elder) on what a map stands on. */
export function styleOf(holder, name) {
  const base = holder.dataset.base;
  return `${holder.dataset.styles}${name}.json${base ? `?base=${encodeURIComponent(base)}` : ''}`;
}

/** The words under the map are those of what it stands on. */
function stand(holder, base) {
  const words = holder.parentElement.querySelector('.attribution');
  holder.dataset.base = base.key;
  if (!words) return;
  if (!words.dataset.own) words.dataset.own = words.textContent;
  words.textContent = base.key ? `${base.attribution} · 审图号：${base.approval}` : words.dataset.own;
}

function option(base, holder, name, chosen) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  label.className = 'basemap-option';
  Object.assign(input, {type: 'radio', name, value: base.key, checked: base.key === (holder.dataset.base || '')});
  input.addEventListener('change', () => chosen(base));
  label.append(input, base.title);
  return label;
}

/** Offer the choice beside a map; `restyle` draws it anew, with all that lies on it. */
export function offerBases(holder, map, restyle) {
  const menu = switchOf(holder);
  if (!menu) return;
  const options = menu.querySelector('[data-basemap-options]');
  const said = menu.querySelector('[data-basemap-said]');
  const name = `basemap-${count += 1}`;
  const choose = (base) => {
    stand(holder, base);
    keep(base.key);
    said.textContent = '';
    say(`底图已换成${base.title}`);
    restyle();
  };
  menu.addEventListener('toggle', async () => {
    if (!menu.open) return;
    try {
      const found = await all(menu);
      options.replaceChildren(...found.basemaps.map((base) => option(base, holder, name, choose)));
      said.textContent = found.missing;
    } catch (fault) {
      said.textContent = '没能取到底图的清单，请过一会儿再打开。';
    }
  });
  map.on('error', (event) => {
    if (event.sourceId !== 'imagery' && event.sourceId !== 'imagery-names') return;
    said.textContent = '这个底图暂时打不开，请先用电子地图。';
    say(said.textContent);
  });
}
