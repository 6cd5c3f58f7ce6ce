// The table of rules as a sheet: keys as in a spreadsheet, pasting of blocks, undo; the server says what each cell means.
import {say} from './announce.js';
import {followProgress} from './progress.js';

const MOST_STEPS = 100;
const form = document.getElementById('sheet');
const grid = document.getElementById('grid');
const body = grid && grid.tBodies[0];
const blank = document.getElementById('blank');
const past = [];
const future = [];
let saved = '';
let now = '';
let leaving = false;

const lines = () => [...body.querySelectorAll('.rule-line')];
const cellsOf = (line) => [...line.querySelectorAll('.rule-cell')];
const state = () => JSON.stringify(lines().map((line) => [line.querySelector('[name="line"]').value, ...cellsOf(line).map((each) => each.value)]));

function number() {
  lines().forEach((line, at) => {
    line.querySelector('.rule-at').textContent = at + 1;
    line.querySelectorAll('.rule-acts button').forEach((button) => { button.value = `row-${button.dataset.row}:${at}`; });
    const heads = grid.tHead.rows[0].cells;
    cellsOf(line).forEach((cell, column) => {
      const head = heads[column + 1].querySelector('.rule-head');
      cell.setAttribute('aria-label', `第 ${at + 1} 行 ${head ? head.firstChild.textContent : '备注'}`);
    });
  });
  const none = body.querySelector('.rule-none');
  if (none) none.hidden = lines().length > 0;
}

function show() {
  document.getElementById('undo').disabled = past.length === 0;
  document.getElementById('redo').disabled = future.length === 0;
  document.getElementById('dirty').textContent = now === saved ? '' : '有改动还没有保存';
}

/** Remember where the sheet stood before what was just done. */
function done() {
  const next = state();
  if (next === now) return;
  past.push(now);
  if (past.length > MOST_STEPS) past.shift();
  future.length = 0;
  now = next;
  show();
}

function newLine(values) {
  const line = document.importNode(blank.content, true).querySelector('.rule-line');
  const key = line.querySelector('[name="line"]');
  key.value = (values && values[0]) || Math.random().toString(16).slice(2, 10);
  if (values) cellsOf(line).forEach((cell, at) => { cell.value = values[at + 1] || ''; });
  return line;
}

function restore(text) {
  const kept = new Map(lines().map((line) => [line.querySelector('[name="line"]').value, line]));
  const rows = JSON.parse(text).map((values) => {
    const line = kept.get(values[0]) || newLine(values);
    cellsOf(line).forEach((cell, at) => {
      if (cell.value === values[at + 1] && kept.has(values[0])) return;
      cell.value = values[at + 1];
      explain(cell);
    });
    return line;
  });
  lines().forEach((line) => line.remove());
  rows.forEach((line) => body.append(line));
  number();
  now = text;
  show();
}

function step(from, to, word) {
  if (!from.length) return;
  to.push(now);
  restore(from.pop());
  say(word);
}

async function explain(cell) {
  if (cell.name === 'note') return;
  const asked = cell.value;
  const data = new FormData();
  data.append('column', cell.name);
  data.append('text', asked);
  data.append('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
  const said = cell.parentElement.querySelector('.cell-said');
  try {
    const answer = await fetch(form.dataset.cell, {method: 'POST', body: data});
    if (!answer.ok) throw new Error(String(answer.status));
    const found = new DOMParser().parseFromString(await answer.text(), 'text/html').body;
    if (cell.value !== asked) return; // typed on meanwhile
    said.replaceChildren(...[...found.childNodes].map((node) => document.importNode(node, true)));
    const fault = Boolean(found.querySelector('.form-error'));
    cell.parentElement.classList.toggle('faulty', fault);
    cell.toggleAttribute('aria-invalid', fault);
    if (fault) say(`${cell.getAttribute('aria-label')}：${said.textContent.trim()}`);
  } catch (fault) {
    said.textContent = '没有连上，保存时再检查。';
  }
}

function act(button) {
  const line = button.closest('.rule-line');
  const what = button.dataset.row;
  if (what === 'add') {
    body.append(newLine());
  } else if (what === 'double') {
    const twin = newLine(['', ...cellsOf(line).map((cell) => cell.value)]);
    line.after(twin);
    twin.querySelectorAll('.cell-said').forEach((said, at) => said.replaceChildren(...[...line.querySelectorAll('.cell-said')[at].cloneNode(true).childNodes]));
  } else if (what === 'up' && line.previousElementSibling && line.previousElementSibling.matches('.rule-line')) {
    line.previousElementSibling.before(line);
  } else if (what === 'down' && line.nextElementSibling) {
    line.nextElementSibling.after(line);
  } else if (what === 'remove') {
    const next = line.nextElementSibling || line.previousElementSibling;
    line.remove();
    if (next && next.matches('.rule-line')) cellsOf(next)[0].focus();
    say('已删去一行，可以撤销。');
  }
  number();
  done();
  if (what === 'add') cellsOf(lines().pop())[0].focus();
  else if (line.isConnected) button.focus();
}

function go(cell, down, across) {
  const rows = lines();
  const at = rows.indexOf(cell.closest('.rule-line'));
  const column = cellsOf(rows[at]).indexOf(cell);
  const row = rows[at + down];
  const next = row && cellsOf(row)[column + across];
  if (next) {
    next.focus();
    next.select();
  }
  return Boolean(next);
}

function keys(event) {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === 's') {
    event.preventDefault();
    document.getElementById('save').click();
    return;
  }
  const elsewhere = event.target.closest('input, textarea, select') && !event.target.closest('#grid');
  if (control && !elsewhere && ['z', 'y'].includes(event.key.toLowerCase())) {
    const back = event.key.toLowerCase() === 'z' && !event.shiftKey;
    event.preventDefault();
    done();
    step(back ? past : future, back ? future : past, back ? '已撤销' : '已重做');
    return;
  }
  const cell = event.target.closest('.rule-cell');
  if (!cell || control || event.altKey || event.isComposing) return;
  const start = cell.selectionStart === 0 && (cell.selectionEnd === 0 || cell.selectionEnd === cell.value.length);
  const end = cell.selectionEnd === cell.value.length && (cell.selectionStart === cell.value.length || cell.selectionStart === 0);
  if (event.key === 'ArrowUp' || (event.key === 'Enter' && event.shiftKey)) go(cell, -1, 0);
  else if (event.key === 'ArrowDown') go(cell, 1, 0);
  else if (event.key === 'Enter') {
    if (!go(cell, 1, 0)) act(form.querySelector('[data-row="add"]'));
  } else if (event.key === 'ArrowLeft' && start) go(cell, 0, -1);
  else if (event.key === 'ArrowRight' && end) go(cell, 0, 1);
  else return;
  event.preventDefault();
}

/** Put a block copied from a spreadsheet into the cells from here on, with new rows where it is longer. */
function paste(event) {
  const cell = event.target.closest('.rule-cell');
  const text = event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n').replace(/\n$/, '');
  if (!cell || !/[\t\n]/.test(text)) return;
  event.preventDefault();
  const first = lines().indexOf(cell.closest('.rule-line'));
  const column = cellsOf(cell.closest('.rule-line')).indexOf(cell);
  const block = text.split('\n').map((row) => row.split('\t'));
  block.forEach((values, down) => {
    if (first + down >= lines().length) body.append(newLine());
    const cells = cellsOf(lines()[first + down]);
    values.forEach((value, across) => {
      const target = cells[column + across];
      if (!target) return;
      target.value = value.trim();
      explain(target);
    });
  });
  number();
  done();
  say(`已粘贴 ${block.length} 行`);
}

async function tryOut(event) {
  const button = event.submitter;
  if (!button || button.value !== 'try') return;
  event.preventDefault();
  const data = new FormData(form, button);
  if (grid) whole(data);
  const panel = document.getElementById('try-panel');
  const answer = await fetch(window.location.pathname, {method: 'POST', body: data, headers: {'X-Fragment': 'try'}});
  const found = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('try-panel');
  if (found) panel.replaceWith(document.importNode(found, true));
  else say('没有算成，请检查网络后再试。');
}

/** The sheet as one field: a large table has more cells than a form may have fields. */
function whole(data) {
  ['line', 'note'].concat(cellsOf(document.importNode(blank.content, true).querySelector('.rule-line')).map((cell) => cell.name)).forEach((name) => data.delete(name));
  data.set('sheet', state());
}

function send(event) {
  if (event.submitter && event.submitter.value === 'try') return;
  leaving = true;
  const sheet = document.createElement('input');
  sheet.type = 'hidden';
  sheet.name = 'sheet';
  sheet.value = state();
  form.append(sheet);
  lines().forEach((line) => line.querySelectorAll('input').forEach((field) => { field.disabled = true; }));
}

function jump(event) {
  const link = event.target.closest('[data-go]');
  if (!link || !grid) return;
  const [row, column] = link.dataset.go.split(':').map(Number);
  const line = lines()[row - 1];
  if (!line) return;
  event.preventDefault();
  cellsOf(line)[column - 1].focus();
}

function begin() {
  number();
  now = saved = state();
  if (document.querySelector('.notice.warn a[href]')) saved = '';
  show();
  form.addEventListener('click', (event) => {
    const button = event.target.closest('[data-row]');
    if (!button) return;
    event.preventDefault();
    act(button);
  });
  form.addEventListener('change', (event) => {
    if (!event.target.matches('.rule-cell')) return;
    done();
    explain(event.target);
  });
  form.addEventListener('paste', paste);
  form.addEventListener('submit', send);
  document.addEventListener('keydown', keys);
  document.addEventListener('click', jump);
  document.getElementById('undo').addEventListener('click', () => step(past, future, '已撤销'));
  document.getElementById('redo').addEventListener('click', () => step(future, past, '已重做'));
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('[data-publish]') || state() === saved) return;
    event.preventDefault();
    say('有改动还没有保存，请先保存，再发布。');
    document.getElementById('dirty').textContent = '有改动还没有保存，请先保存，再发布';
    document.getElementById('save').focus();
  });
  // a page taken from the memory of the browser has its fields switched off by what was sent
  window.addEventListener('pageshow', (event) => { if (event.persisted) window.location.reload(); });
  window.addEventListener('beforeunload', (event) => { if (!leaving && state() !== saved) event.preventDefault(); });
}

if (form) form.addEventListener('submit', tryOut);
if (form && grid) begin();
if (document.querySelector('#trial-progress[data-open]')) followProgress('trial-progress', 1500);
