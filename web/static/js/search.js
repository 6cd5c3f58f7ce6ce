// The search box: a combobox over places, communities, roads and addresses, by keyboard or by touch.
import {say} from './announce.js';
import {go} from './answer.js';

const WAIT_MS = 160;
let timer = 0;
let asked = 0;
let active = -1;

const box = () => document.getElementById('q');
const list = () => document.getElementById('suggestions');
const options = () => Array.from(list().querySelectorAll('[role="option"]'));

function close() {
  window.clearTimeout(timer);
  asked += 1;
  active = -1;
  list().hidden = true;
  list().innerHTML = '';
  delete list().dataset.answers;
  box().setAttribute('aria-expanded', 'false');
  box().removeAttribute('aria-activedescendant');
}

function mark(index) {
  const all = options();
  if (!all.length) return;
  active = (index + all.length) % all.length;
  all.forEach((option, at) => option.setAttribute('aria-selected', String(at === active)));
  box().setAttribute('aria-activedescendant', all[active].id);
  all[active].scrollIntoView({block: 'nearest'});
}

async function suggest() {
  const text = box().value.trim();
  if (!text) {
    close();
    return;
  }
  const mine = ++asked;
  const params = new URLSearchParams(new FormData(box().form));
  params.set('q', text);
  const map = document.getElementById('map');
  if (map && map.quantu) {
    // What is near the middle of the map comes first; a hundred metres are exact enough for that.
    const middle = map.quantu.getCenter();
    params.set('middle', `${middle.lng.toFixed(3)},${middle.lat.toFixed(3)}`);
  }
  let html;
  try {
    const response = await fetch(`/find/suggest?${params}`, {credentials: 'same-origin'});
    if (!response.ok) return;
    html = await response.text();
  } catch (error) {
    return; // typing goes on; pressing Enter asks the page itself
  }
  if (mine !== asked || document.activeElement !== box()) return;
  list().innerHTML = html;
  list().dataset.answers = text;
  list().hidden = false;
  active = -1;
  box().setAttribute('aria-expanded', 'true');
  const count = options().length;
  const meant = list().querySelectorAll('[data-corrected]').length;
  if (!count) say('没有找到候选');
  else if (meant === count) say(`没有“${text}”，您是不是要找这 ${count} 个，用上下键选`);
  else say(`有 ${count} 个候选，用上下键选`);
}

function choose(option) {
  const url = option.getAttribute('data-url');
  close();
  if (url.indexOf('/places/') === 0) window.location.assign(url);
  else go(url);
}

function onKey(event) {
  if (event.target !== box()) return;
  const shown = !list().hidden;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    if (!shown) suggest();
    else mark(active + (event.key === 'ArrowDown' ? 1 : -1) + (active < 0 && event.key === 'ArrowUp' ? 1 : 0));
  } else if (event.key === 'Enter' && shown && active >= 0) {
    event.preventDefault();
    choose(options()[active]);
  } else if (event.key === 'Escape' && shown) {
    event.preventDefault();
    close();
  }
}

export function startSearch() {
  // Listeners sit on the document: the box itself is redrawn with each answer.
  document.addEventListener('input', (event) => {
    if (event.target !== box()) return;
    document.getElementById('q-clear').hidden = !box().value;
    window.clearTimeout(timer);
    timer = window.setTimeout(suggest, WAIT_MS);
  });
  document.addEventListener('keydown', onKey);
  document.addEventListener('focusin', (event) => {
    if (event.target === box() && box().value) box().select();
  });
  document.addEventListener('focusout', (event) => {
    if (event.target === box()) window.setTimeout(close, 150);
  });
  document.addEventListener('mousedown', (event) => {
    const option = event.target.closest && event.target.closest('#suggestions [role="option"]');
    if (!option) return;
    event.preventDefault(); // keeps the focus, so that the list is not closed before it is read
    if (event.button === 0) choose(option);
  });
  document.addEventListener('submit', () => { if (box()) close(); });
  document.addEventListener('click', (event) => {
    if (!event.target.closest || !event.target.closest('#q-clear')) return;
    box().value = '';
    document.getElementById('q-clear').hidden = true;
    box().focus();
    close();
  });
}
