// The list and its form: a changed choice asks again, a chosen row opens beside the list, rows and pins light up together.
import {go, hasMap, hideCard, isWide, question, showCard} from './answer.js';
import {untickSiblings} from './choices.js';
import {paintSaved} from './favourites.js';

const hoverers = [];

/** Tell others (the map) which place the pointer or the focus is on; null when none. */
export function onHover(listener) {
  hoverers.push(listener);
}

export function light(id) {
  document.querySelectorAll('.row[data-id]').forEach((row) => {
    row.classList.toggle('lit', id !== null && row.getAttribute('data-id') === String(id));
  });
}

/** The page that answers questions: its theme says which. */
function home() {
  return document.getElementById('find').getAttribute('action');
}

function questionUrl(form) {
  const params = new URLSearchParams();
  new FormData(form).forEach((value, key) => {
    if (value !== '') params.set(key, value);
  });
  // The box shows the origin's name; only other words in it are a new search.
  if (params.get('q') === params.get('at')) params.delete('q');
  params.delete('theme'); // the page itself says it
  const query = params.toString();
  return query ? `${home()}?${query}` : home();
}

/** Choosing in one of the two groups of kinds unchooses in the other; radios of one name do so by themselves. */
function onChange(event) {
  const input = event.target;
  if (!input.hasAttribute('data-auto')) return;
  untickSiblings(input);
  const kinds = input.closest('#menu-kinds');
  if (kinds) kinds.open = false; // one thing is looked for: the choice is made
  go(questionUrl(input.form));
}

function onSubmit(event) {
  if (event.target.id !== 'find') return;
  event.preventDefault();
  go(questionUrl(event.target));
}

function plainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

export function select(id) {
  const url = new URL(window.location.href);
  url.searchParams.set('place', String(id));
  if (isWide() && url.pathname === home()) go(url.pathname + url.search, {keepScroll: true});
  else {
    const query = question();
    query.delete('place');
    showCard(`/places/${id}/card?${query}`);
  }
}

export function closeCard() {
  const url = new URL(window.location.href);
  if (url.searchParams.has('place')) {
    const id = url.searchParams.get('place');
    url.searchParams.delete('place');
    go(url.pathname + url.search, {keepScroll: true}).then(() => {
      const link = document.querySelector(`a[data-place="${id}"]`);
      if (link) link.focus();
    });
  } else {
    hideCard();
  }
}

function onClick(event) {
  if (!plainClick(event) || !event.target.closest) return;
  const place = event.target.closest('a[data-place]');
  if (place && isWide() && hasMap()) {
    event.preventDefault();
    select(place.getAttribute('data-place'));
    return;
  }
  const way = event.target.closest('a[data-go]');
  if (way) {
    event.preventDefault();
    go(way.getAttribute('href'));
    return;
  }
  if (event.target.closest('[data-close]')) {
    event.preventDefault();
    closeCard();
  }
}

/** Keys of a desk: / searches, J and K walk through the rows, Escape closes the card. */
function onKey(event) {
  if (event.key === 'Escape' && !document.getElementById('card').hidden && !event.defaultPrevented) {
    closeCard();
    return;
  }
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === '/') {
    event.preventDefault();
    document.getElementById('q').focus();
  } else if (event.key === 'j' || event.key === 'k') {
    const links = Array.from(document.querySelectorAll('a[data-place]'));
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(links.length - 1, Math.max(0, at + (event.key === 'j' ? 1 : -1)))];
    if (next) next.focus();
  }
}

function onPoint(event) {
  const row = event.target.closest && event.target.closest('.row[data-id]');
  const id = row ? row.getAttribute('data-id') : null;
  light(id);
  hoverers.forEach((listener) => listener(id));
}

export function startList() {
  document.addEventListener('change', onChange);
  document.addEventListener('submit', onSubmit);
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', onKey);
  const panel = document.getElementById('panel');
  panel.addEventListener('mouseover', onPoint);
  panel.addEventListener('mouseleave', onPoint);
  panel.addEventListener('focusin', onPoint);
  new MutationObserver(() => paintSaved(document)).observe(document.getElementById('card'), {childList: true});
}
