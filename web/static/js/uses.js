// Tells the counter that somebody opens a place of a list, calls it or lets a map app lead there, and that the filters came into
// sight. The link does what it does, counted or not.

function placeOf(link) {
  const row = link.closest('[data-id]');
  if (row) return row.getAttribute('data-id');
  const acts = link.closest('.actions');
  const save = acts && acts.querySelector('[data-save]');
  if (save) return save.getAttribute('data-save');
  const page = window.location.pathname.match(/^\/places\/(\d+)$/);
  return page ? page[1] : '';
}

function actOf(link) {
  if (link.matches('.row-name, .elder-card h2 a')) return 'click';
  return link.getAttribute('href').startsWith('tel:') ? 'call' : 'navigate';
}

const ACTS = 'a[href^="tel:"], a[data-navigate], .navigate-menu a, [data-id] a.row-name, .elder-card[data-id] h2 a';

document.addEventListener('click', (event) => {
  const link = event.target.closest && event.target.closest(ACTS);
  if (!link || link.getAttribute('href') === 'tel:12345' || !navigator.sendBeacon) return;
  const place = placeOf(link);
  if (place) navigator.sendBeacon(`/places/${place}/used`, new URLSearchParams({act: actOf(link)}));
}, {capture: true});

/** On a telephone the filters are folded away: they were seen when they were unfolded. */
let filtersSeen = false;

function lookForFilters() {
  const box = document.querySelector('.list-filters');
  if (filtersSeen || !box || box.offsetParent === null || !navigator.sendBeacon) return;
  filtersSeen = true;
  navigator.sendBeacon('/places/used', new URLSearchParams({page: 'filters'}));
}

document.addEventListener('change', lookForFilters);
lookForFilters();
