// Tells the counter that somebody calls a place or lets a map app lead there. The link does what it does, counted or not.

function placeOf(link) {
  const row = link.closest('[data-id]');
  if (row) return row.getAttribute('data-id');
  const acts = link.closest('.actions');
  const save = acts && acts.querySelector('[data-save]');
  if (save) return save.getAttribute('data-save');
  const page = window.location.pathname.match(/^\/places\/(\d+)$/);
  return page ? page[1] : '';
}

document.addEventListener('click', (event) => {
  const link = event.target.closest && event.target.closest('a[href^="tel:"], a[data-navigate], .navigate-menu a');
  if (!link || link.getAttribute('href') === 'tel:12345' || !navigator.sendBeacon) return;
  const place = placeOf(link);
  if (!place) return;
  const act = link.getAttribute('href').startsWith('tel:') ? 'call' : 'navigate';
  navigator.sendBeacon(`/places/${place}/used`, new URLSearchParams({act}));
}, {capture: true});
