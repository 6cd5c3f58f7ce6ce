// The list of all institutions: a choice applies at once, without leaving the page; the address stays the state of it all.
import {say} from './announce.js';
import {paintSaved} from './favourites.js';
import {startLocate} from './location.js';

const KEPT = 'quantu.weights';
const WAIT_MS = 250;
const finder = document.getElementById('finder');
const form = () => document.getElementById('listing');
let latest = 0;
let waiting = 0;

/** The address that the form asks for: nothing that is empty, no slider at 0, several values of one name joined. */
function address() {
  const params = new Map();
  new FormData(form()).forEach((value, key) => {
    if (value === '' || (key.startsWith('w_') && value === '0')) return;
    params.set(key, params.has(key) ? `${params.get(key)},${value}` : String(value));
  });
  if (params.get('q') !== new URLSearchParams(window.location.search).get('q') && params.get('order') === 'name') params.delete('order');
  return `/places?${new URLSearchParams([...params])}`;
}

/** Returns the part of the page that an address answers; whatever is wrong, the whole page says it, and nothing is returned. */
async function fragment(url) {
  try {
    const answer = await fetch(url, {headers: {'HX-Request': 'true'}, credentials: 'same-origin'});
    if (!answer.ok) throw new Error(String(answer.status));
    return await answer.text();
  } catch (error) {
    window.location.assign(url);
    return null;
  }
}

/** The next rows come to stand where the link to them stood, and the keyboard goes on with the first of them. */
async function more(link) {
  const item = link.closest('li');
  if (item.hasAttribute('aria-busy')) return;
  item.setAttribute('aria-busy', 'true');
  const text = await fragment(link.href);
  if (text === null || !item.isConnected) return;
  const last = item.previousElementSibling;
  const held = item.contains(document.activeElement);
  item.outerHTML = text;
  document.dispatchEvent(new CustomEvent('htmx:afterSwap', {detail: {elt: finder}}));
  const first = last && last.nextElementSibling && last.nextElementSibling.querySelector('a');
  if (held && first) first.focus({preventScroll: true});
}

async function go(url, {push = true, keep = true} = {}) {
  window.clearTimeout(waiting);
  const turn = ++latest;
  finder.setAttribute('aria-busy', 'true');
  const text = await fragment(url);
  if (text === null || turn !== latest) return;
  const held = document.activeElement && finder.contains(document.activeElement) ? document.activeElement.id : '';
  const shown = document.getElementById('show-filters');
  const folded = !(keep && shown && shown.checked);
  finder.innerHTML = text;
  if (document.getElementById('show-filters')) document.getElementById('show-filters').checked = !folded;
  finder.removeAttribute('aria-busy');
  document.dispatchEvent(new CustomEvent('htmx:afterSwap', {detail: {elt: finder}}));
  dress();
  document.title = form().dataset.title;
  if (push) window.history.pushState({}, '', url);
  const again = held && document.getElementById(held);
  if (again) again.focus({preventScroll: true});
  else if (held || push) form().querySelector('#list-q').focus({preventScroll: true});
  say(form().dataset.said);
}

function weights() {
  return [...form().querySelectorAll('[data-weight]')];
}

function recalled() {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEPT) || '{}');
    return kept && typeof kept === 'object' ? kept : {};
  } catch (error) {
    return {}; // storage may be refused
  }
}

function remember() {
  try {
    window.localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(weights().map((one) => [one.name, one.value]))));
  } catch (error) {
    // storage may be refused; the address still holds the weights
  }
}

/** Offer what this device remembers where the address says nothing, and paint favourites. */
function dress() {
  paintSaved(finder);
  const button = finder.querySelector('[data-recall]');
  const kept = recalled();
  if (button) button.hidden = weights().some((one) => one.value !== '0') || !weights().some((one) => Number(kept[one.name]) > 0);
}

function fit() {
  const order = document.getElementById('list-order');
  order.value = weights().some((one) => one.value !== '0') ? 'fit' : order.value === 'fit' ? 'name' : order.value;
}

document.addEventListener('change', (event) => {
  const input = event.target;
  if (!input.form || input.form !== form()) return;
  if (input.hasAttribute('data-weight')) {
    remember();
    fit();
  } else if (!input.hasAttribute('data-auto')) {
    return;
  }
  if (input.dataset.clears) form().querySelectorAll(`[name="${input.dataset.clears}"]`).forEach((other) => { other.value = ''; });
  if (input.id === 'list-kinds') {
    go(`/places?${new URLSearchParams([...new URL(address(), window.location.href).searchParams].filter(([key]) => ['q', 'kinds', 'lon', 'lat', 'at', 'district', 'street'].includes(key)))}`);
    return;
  }
  if (input.id === 'list-order' && input.value === 'fit') recallInto();
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => go(address()), input.hasAttribute('data-weight') ? WAIT_MS : 0);
});

function recallInto() {
  const kept = recalled();
  if (weights().some((one) => one.value !== '0')) return;
  weights().forEach((one) => { one.value = String(Number(kept[one.name]) || 0); });
}

document.addEventListener('input', (event) => {
  if (event.target.hasAttribute('data-weight')) event.target.parentElement.querySelector('output').textContent = event.target.value;
});

document.addEventListener('submit', (event) => {
  if (event.target !== form()) return;
  if (event.submitter && (event.submitter.name === 'keep' || event.submitter.name === 'drop' || event.submitter.hasAttribute('formaction'))) return;
  event.preventDefault();
  go(address());
});

document.addEventListener('click', (event) => {
  const link = event.target.closest('#finder a[data-go]');
  const plain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button);
  if (link && plain) {
    event.preventDefault();
    go(link.getAttribute('href'));
  }
  const next = event.target.closest('#finder a[data-more]');
  if (next && plain) {
    event.preventDefault();
    more(next);
  }
  if (event.target.closest('[data-recall]')) {
    recallInto();
    fit();
    go(address());
  }
});

window.addEventListener('popstate', () => go(window.location.pathname + window.location.search, {push: false}));
document.addEventListener('htmx:afterSwap', () => paintSaved(document));
startLocate((url) => window.location.assign(url));
dress();
