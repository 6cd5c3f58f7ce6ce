// Favourites: in a cookie of this device, or on the account of whoever is signed in. Without script the same buttons post a form.
import {say} from './announce.js';

const COOKIE = 'saved';
const BEFORE = 'quantu.saved'; // where devices held them before; taken over once
const MOST = 200;
const KEPT_S = 400 * 24 * 3600;
const listeners = [];

const holder = () => document.querySelector('[data-saved-ids]');
const signed = () => Boolean(holder()) && holder().hasAttribute('data-account');
const split = (text) => (/^\d{1,18}(\.\d{1,18})*$/.test(text) ? text.split('.') : []);

function deviceIds() {
  const found = document.cookie.match(/(?:^|; )saved=([\d.]*)/);
  return found ? split(found[1]) : [];
}

function keepOnDevice(ids) {
  const age = ids.length ? KEPT_S : 0;
  const secure = window.location.protocol === 'https:' ? '; secure' : '';
  document.cookie = `${COOKIE}=${ids.slice(0, MOST).join('.')}; path=/; max-age=${age}; samesite=lax${secure}`;
}

export function savedIds() {
  return signed() ? split(holder().getAttribute('data-saved-ids')) : deviceIds();
}

export function isSaved(id) {
  return savedIds().indexOf(String(id)) >= 0;
}

export function onSavedChange(listener) {
  listeners.push(listener);
}

/** Paint what a root shows of favourites: buttons pressed or not with their words, rows and marks that stand out. */
export function paintSaved(root) {
  const ids = new Set(savedIds());
  root.querySelectorAll('[data-save]').forEach((button) => {
    const saved = ids.has(button.getAttribute('data-save'));
    button.setAttribute('aria-pressed', String(saved));
    button.name = saved ? 'drop' : 'keep';
    const words = button.querySelector('[data-save-words]');
    if (words) words.textContent = saved ? '已收藏' : '收藏';
  });
  root.querySelectorAll('[data-marked]').forEach((mark) => {
    const saved = ids.has(mark.getAttribute('data-marked'));
    mark.hidden = !saved;
    const row = mark.closest('.row');
    if (row) row.classList.toggle('marked', saved);
  });
}

function changed() {
  paintSaved(document);
  listeners.forEach((listener) => listener());
}

function toggleOnDevice(id) {
  const ids = deviceIds();
  const others = ids.filter((other) => other !== id);
  const saved = others.length === ids.length;
  if (saved && ids.length >= MOST) {
    say(`最多收藏 ${MOST} 家，请先取消几家。`);
    return;
  }
  keepOnDevice(saved ? [id].concat(others) : others);
  if (isSaved(id) !== saved) say('这台设备不让网页保存内容，没能收藏。');
  else say(saved ? '已收藏，存在这台设备上。' : '已取消收藏。');
  changed();
}

async function toggleOnAccount(id) {
  const saved = !isSaved(id);
  const body = new FormData();
  body.set(saved ? 'keep' : 'drop', id);
  body.set('csrfmiddlewaretoken', document.querySelector('#view-form [name="csrfmiddlewaretoken"]').value);
  let said = saved ? '已收藏到您的账号。' : '已取消收藏。';
  try {
    const response = await fetch('/saved/mark', {method: 'POST', body, keepalive: true, credentials: 'same-origin', headers: {'X-Fragment': 'favourites'}});
    const answer = await response.json();
    if (response.ok) holder().setAttribute('data-saved-ids', answer.ids.join('.'));
    else said = answer.message;
  } catch (error) {
    said = '没能保存，可能是网络断了，请再点一次。';
  }
  say(said);
  changed();
}

/** What this device held in its own storage goes into the cookie; the server takes that over when somebody is signed in. */
function takeOver() {
  try {
    const ids = JSON.parse(window.localStorage.getItem(BEFORE) || '[]');
    if (!Array.isArray(ids) || !ids.length) return;
    const known = deviceIds();
    keepOnDevice(known.concat(ids.map(String).filter((id) => /^\d{1,18}$/.test(id) && known.indexOf(id) < 0)));
    window.localStorage.removeItem(BEFORE);
  } catch (error) {
    // storage may be refused or hold something else; then there is nothing to take over
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-save]');
  if (!button || !holder()) return;
  event.preventDefault();
  const id = button.getAttribute('data-save');
  if (signed()) toggleOnAccount(id);
  else toggleOnDevice(id);
});
window.addEventListener('pageshow', (event) => { if (event.persisted) changed(); });
takeOver();
paintSaved(document);
