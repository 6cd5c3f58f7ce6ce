// Favourites, kept on this device only: a list of place ids in localStorage, newest first.
import {say} from './announce.js';

const KEY = 'quantu.saved';
const MOST = 200;
const listeners = [];

export function savedIds() {
  try {
    const ids = JSON.parse(window.localStorage.getItem(KEY) || '[]');
    return Array.isArray(ids) ? ids.filter((id) => /^\d{1,18}$/.test(String(id))).map(String) : [];
  } catch (error) {
    return []; // storage may be refused or hold something else; then nothing is saved
  }
}

export function isSaved(id) {
  return savedIds().indexOf(String(id)) >= 0;
}

/** Add or remove one place. Returns whether it is saved now, or null when the device refuses to keep it. */
export function toggleSaved(id) {
  const others = savedIds().filter((other) => other !== String(id));
  const saved = others.length === savedIds().length;
  try {
    window.localStorage.setItem(KEY, JSON.stringify(saved ? [String(id)].concat(others).slice(0, MOST) : others));
  } catch (error) {
    return null;
  }
  listeners.forEach((listener) => listener());
  return saved;
}

export function onSavedChange(listener) {
  listeners.push(listener);
}

/** Paint every favourite button under a root: pressed or not, and its words. */
export function paintSaved(root) {
  root.querySelectorAll('[data-save]').forEach((button) => {
    const saved = isSaved(button.getAttribute('data-save'));
    button.setAttribute('aria-pressed', String(saved));
    const words = button.querySelector('[data-save-words]');
    if (words) words.textContent = saved ? '已收藏' : '收藏';
  });
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-save]');
  if (!button) return;
  const saved = toggleSaved(button.getAttribute('data-save'));
  if (saved === null) say('这台设备不让网页保存内容，没能收藏。');
  else say(saved ? '已收藏，存在这台设备上。' : '已取消收藏。');
  paintSaved(document);
});
window.addEventListener('storage', (event) => {
  if (event.key !== KEY) return;
  paintSaved(document);
  listeners.forEach((listener) => listener());
});
paintSaved(document);
