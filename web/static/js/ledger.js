// The page of a ledger: a row opens beside the list, keys move through it, ticked rows are acted on together.
const ledger = document.querySelector('.ledger');
const ask = document.getElementById('ask');
const bulk = document.getElementById('bulk');
let lit = -1;

function rows() {
  return [...document.querySelectorAll('.ledger-table tbody tr')];
}

// Maps: only where there is one, and only where the browser can draw it

async function drawMaps(part) {
  if (!document.documentElement.classList.contains('map-ready')) return;
  const holders = [...part.querySelectorAll('[data-map]')].filter((holder) => !holder.quantu);
  if (!holders.length) return;
  const {showPins, showShape} = await import('./desk-map.js');
  holders.filter((holder) => holder.isConnected).forEach((holder) => { // what was opened may be closed by now
    if (holder.dataset.pins) showPins(holder, (pk) => open(`${holder.dataset.openAt}${pk}`)).then(drawAreas);
    else showShape(holder, JSON.parse(document.getElementById(holder.dataset.shape).textContent));
  });
}

// An area drawn on the map narrows the list like any filter

async function drawAreas(map) {
  const {startDrawing} = await import('./drawing.js');
  const tools = document.getElementById('draw');
  const field = document.getElementById('area');
  const said = document.getElementById('draw-said');
  const button = (act) => tools.querySelector(`[data-act="${act}"]`);
  const asked = field.value;

  function changed(corners) {
    field.value = corners ? corners.map(([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(';') : '';
    button('use').hidden = !corners || field.value === asked;
    button('clear').hidden = !corners;
    button('begin').hidden = Boolean(corners);
    said.textContent = corners ? '拖动角点可以修改，右击角点去掉它。' : '';
  }

  const start = () => {
    const drawing = startDrawing(map, changed);
    const begin = () => {
      drawing.begin();
      said.textContent = '在地图上依次点出各个角，最后点一下第一个角，或按回车结束；按 Esc 取消。';
    };
    button('begin').addEventListener('click', begin);
    button('clear').addEventListener('click', begin);
    if (asked) {
      const corners = asked.split(';').map((pair) => pair.split(',').map(Number));
      drawing.show(corners);
      changed(corners);
    }
    tools.dataset.ready = 'true';
  };
  if (map.isStyleLoaded()) start();
  else map.once('load', start);
}

// The row beside the list

async function open(address, {push = true} = {}) {
  const answer = await fetch(address, {headers: {Accept: 'text/html'}}).catch(() => null);
  if (!answer || !answer.ok) {
    window.location.href = address; // the server says what is wrong, or the browser that there is no network
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const aside = page.getElementById('open');
  document.getElementById('open').replaceWith(aside);
  const fresh = page.querySelector('.ledger');
  ledger.toggleAttribute('data-open', fresh.hasAttribute('data-open'));
  const record = aside.querySelector('[data-record]');
  rows().forEach((row) => row.classList.toggle('current', Boolean(record) && row.id === `row-${record.dataset.record}`));
  if (push) window.history.pushState({}, '', address);
  drawMaps(aside);
  const head = aside.querySelector('.record-head h2');
  if (head) head.focus({preventScroll: true});
}

function opener(event) {
  const link = event.target.closest('[data-open], .record-close');
  if (!link || !link.href || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  lit = rows().findIndex((row) => row.contains(link));
  open(link.href);
}

// Ticked rows

function ticks() {
  return [...document.querySelectorAll('.ledger-table [name="id"]')];
}

function sayTicked() {
  if (!bulk) return;
  const on = ticks().filter((tick) => tick.checked);
  bulk.toggleAttribute('data-on', on.length > 0);
  document.getElementById('picked').textContent = on.length ? `已选 ${on.length} 行` : '所选的行';
  ticks().forEach((tick) => tick.closest('tr').classList.toggle('picked', tick.checked));
  const all = document.getElementById('pick-all');
  all.checked = on.length > 0 && on.length === ticks().length;
  all.indeterminate = on.length > 0 && !all.checked;
}

// Keys

function light(step) {
  const all = rows();
  if (!all.length) return;
  lit = Math.max(0, Math.min(all.length - 1, lit + step));
  all.forEach((row, at) => row.classList.toggle('lit', at === lit));
  all[lit].querySelector('.row-link').focus();
}

function key(event) {
  const typing = event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]');
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && !typing && !document.querySelector('details[data-menu][open]')) {
    const close = document.querySelector('.record-close');
    if (close) close.click();
    return;
  }
  if (typing) return;
  const acts = {
    j: () => light(1),
    k: () => light(-1),
    x: () => { if (lit >= 0) rows()[lit].querySelector('[name="id"]').click(); },
  };
  const act = acts[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}

/** What is left empty does not stand in the address. */
function dropEmpty() {
  [...ask.elements].forEach((field) => {
    if (field.name && field.value === '' && field.type !== 'checkbox') field.disabled = true;
  });
  const columns = [...ask.querySelectorAll('[name="col"]')];
  if (columns.every((field) => field.checked === field.defaultChecked) && !new URLSearchParams(window.location.search).has('col')) {
    columns.forEach((field) => { field.disabled = true; });
  }
}

if (ledger) {
  ledger.addEventListener('click', opener);
  ledger.addEventListener('change', (event) => {
    if (event.target.id === 'pick-all') ticks().forEach((tick) => { tick.checked = event.target.checked; });
    sayTicked();
  });
  if (bulk) bulk.addEventListener('reset', () => { ticks().forEach((tick) => { tick.checked = false; }); sayTicked(); });
  ask.addEventListener('submit', dropEmpty);
  document.addEventListener('keydown', key);
  window.addEventListener('popstate', () => open(window.location.href, {push: false}));
  window.addEventListener('pageshow', () => { [...ask.elements].forEach((field) => { field.disabled = false; }); sayTicked(); });
}
drawMaps(document);
