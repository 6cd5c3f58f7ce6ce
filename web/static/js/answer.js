// One answer from the server feeds the list and the map; every change of the question asks again and keeps the address.
import {say} from './announce.js';

const panel = document.getElementById('panel');
const card = document.getElementById('card');
const listeners = [];
let asked = 0;

/** The answer that the list shows, as the map draws it: the same bytes, read from the page. */
export function answer() {
  const island = document.getElementById('answer');
  return island ? JSON.parse(island.textContent) : null;
}

export function onAnswer(listener) {
  listeners.push(listener);
}

function fail(text) {
  const old = document.getElementById('door-fault');
  if (old) old.remove();
  const note = document.createElement('p');
  note.id = 'door-fault';
  note.className = 'notice bad door-fault';
  note.setAttribute('role', 'alert');
  note.textContent = text;
  document.getElementById('sheet-body').prepend(note);
}

/** Show the answer to an address in place. The address bar follows, so that Back and a copied address work. */
export async function go(url, {push = true, keepScroll = false} = {}) {
  const body = document.getElementById('sheet-body');
  const top = keepScroll && body ? body.scrollTop : 0;
  const mine = ++asked;
  document.getElementById('sheet').setAttribute('aria-busy', 'true');
  let html;
  let address = url;
  try {
    const response = await fetch(url, {headers: {'HX-Request': 'true'}, credentials: 'same-origin'});
    if (response.status >= 500) throw new Error(String(response.status));
    html = await response.text();
    const final = new URL(response.url);
    address = final.pathname + final.search;
  } catch (error) {
    if (mine !== asked) return;
    document.getElementById('sheet').removeAttribute('aria-busy');
    fail('结果没能取回来，可能是网络断了。您选的条件还在，请再点一次；一直不行请拨 12345。');
    return;
  }
  if (mine !== asked) return; // a later question has overtaken this one
  if (push) window.history.pushState({door: true}, '', address);
  show(html);
  document.getElementById('sheet-body').scrollTop = top;
}

function show(html) {
  // What somebody has opened while the answer was on its way stays open.
  const open = Array.from(panel.querySelectorAll('details[open][id]')).map((menu) => menu.id);
  const focused = document.activeElement && panel.contains(document.activeElement) ? document.activeElement.id : '';
  panel.innerHTML = html;
  const fresh = document.getElementById('card-fresh');
  card.innerHTML = '';
  if (fresh) {
    card.append(fresh.content);
    fresh.remove();
  }
  card.hidden = !card.firstElementChild;
  open.forEach((id) => {
    const menu = document.getElementById(id);
    if (menu) menu.open = true;
  });
  const again = focused && document.getElementById(focused);
  if (again) again.focus({preventScroll: true});
  listeners.forEach((listener) => listener(answer()));
  const said = document.getElementById('answer-said');
  if (said) say(said.textContent);
}

/** Put a fragment about a point or a place into the card beside the list. */
export async function showCard(url, {focus = true} = {}) {
  const response = await fetch(url, {headers: {'HX-Request': 'true'}, credentials: 'same-origin'});
  card.innerHTML = await response.text();
  card.hidden = false;
  listeners.forEach((listener) => listener(null));
  if (focus) card.focus({preventScroll: true});
}

export function isWide() {
  return window.matchMedia('(min-width: 900px)').matches;
}

export function hasMap() {
  return document.documentElement.classList.contains('map-ready');
}
