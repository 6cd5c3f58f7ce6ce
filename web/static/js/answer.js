// One answer from the server feeds the list and the map; every change of the question asks again and keeps the address.
import {say} from './announce.js';

const panel = document.getElementById('panel');
const card = document.getElementById('card');
const answerListeners = [];
const cardListeners = [];
let asked = 0;
let opened = 0;

/** The answer that the list shows, as the map draws it: the same bytes, read from the page. */
export function answer() {
  const island = document.getElementById('answer');
  return island ? JSON.parse(island.textContent) : null;
}

/** The way to the place of the open card, {place, line: [[lon, lat], …]}; null when no card is open or there is none. */
export function way() {
  const island = document.getElementById('way');
  return island ? JSON.parse(island.textContent) : null;
}

/** The ground that was marked and the places in it, {outline, places: [[lon, lat, id], …]}; null when no such card is open. */
export function ground() {
  const island = card.querySelector('#ground');
  return island ? JSON.parse(island.textContent) : null;
}

/** The id of the place whose card is open; the empty string when none is. */
export function cardPlace() {
  const open = card.querySelector('.place-card[data-id]');
  return open ? open.getAttribute('data-id') : '';
}

/** The question of the page as parameters for other pages: its theme stands in none of its own addresses. */
export function question() {
  const params = new URLSearchParams(window.location.search);
  const theme = document.querySelector('#find [name="theme"]');
  if (theme) params.set('theme', theme.value);
  return params;
}

export function onAnswer(listener) {
  answerListeners.push(listener);
}

/** Tell others when the card beside the list is opened, exchanged or closed. */
export function onCard(listener) {
  cardListeners.push(listener);
}

function fail() {
  const old = document.getElementById('door-fault');
  if (old) old.remove();
  const note = document.createElement('p');
  note.id = 'door-fault';
  note.className = 'notice bad door-fault';
  note.setAttribute('role', 'alert');
  note.textContent = '结果没能取回来，可能是网络断了。您选的条件还在，请再点一次；一直不行请拨 12345。';
  document.getElementById('sheet-body').prepend(note);
}

/** Fetch a part of the page; `address` is where it came from in the end. Rejects when the answer is not a part of this page. */
async function fragment(url) {
  const response = await fetch(url, {headers: {'HX-Request': 'true'}, credentials: 'same-origin'});
  if (!response.ok) throw new Error(String(response.status));
  const final = new URL(response.url);
  return {html: await response.text(), address: final.pathname + final.search};
}

/** Show the answer to an address in place. The address bar follows, so that Back and a copied address work. */
export async function go(url, {push = true, keepScroll = false} = {}) {
  const body = document.getElementById('sheet-body');
  const top = keepScroll && body ? body.scrollTop : 0;
  const mine = ++asked;
  document.getElementById('sheet').setAttribute('aria-busy', 'true');
  let found;
  try {
    found = await fragment(url);
  } catch (error) {
    if (mine !== asked) return;
    document.getElementById('sheet').removeAttribute('aria-busy');
    fail();
    return;
  }
  if (mine !== asked) return; // a later question has overtaken this one
  if (push) window.history.pushState({door: true}, '', found.address);
  show(found.html);
  document.getElementById('sheet-body').scrollTop = top;
}

function show(html) {
  opened += 1; // a card still on its way belongs to the answer before
  // What somebody has opened while the answer was on its way stays open.
  const open = Array.from(panel.querySelectorAll('details[open][id]')).map((menu) => menu.id);
  const focused = document.activeElement && panel.contains(document.activeElement) ? document.activeElement.id : '';
  panel.innerHTML = html;
  const fresh = document.getElementById('card-fresh');
  card.innerHTML = fresh ? fresh.innerHTML : '';
  if (fresh) fresh.remove();
  card.hidden = !fresh;
  open.forEach((id) => {
    const menu = document.getElementById(id);
    if (menu) menu.open = true;
  });
  const again = focused && document.getElementById(focused);
  if (again) again.focus({preventScroll: true});
  answerListeners.forEach((listener) => listener(answer()));
  cardListeners.forEach((listener) => listener());
  const said = document.getElementById('answer-said');
  if (said) say(said.textContent);
}

/** Put a fragment about a point or a place into the card beside the list. */
export async function showCard(url) {
  const mine = ++opened;
  let html;
  try {
    html = (await fragment(url)).html;
  } catch (error) {
    if (mine === opened) fail();
    return;
  }
  if (mine !== opened) return;
  card.innerHTML = html;
  card.hidden = false;
  cardListeners.forEach((listener) => listener());
  card.focus({preventScroll: true});
}

export function hideCard() {
  card.hidden = true;
  card.innerHTML = '';
  cardListeners.forEach((listener) => listener());
}

export function isWide() {
  return window.matchMedia('(min-width: 900px)').matches;
}

export function hasMap() {
  return document.documentElement.classList.contains('map-ready');
}
