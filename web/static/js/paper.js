// A sheet of paper with a map on it, for a report or a wall: title, what is told, legend, date and the numbers it must bear; PNG or
// PDF. What is drawn in its frame is the affair of the page.
import {collectWords, paint, write} from './painting.js';
import {onPaper} from './scheme.js';

const PAPERS = {'a4-wide': [297, 210], 'a4-high': [210, 297], 'a3-wide': [420, 297]};
const UNIT = 96 / 25.4; // pixels of a page in a millimetre
const MARGIN = 10;
const HEAD = 16;
const FOOT = 12;
/** Dots an inch. */
export const DOTS = 150;

/** The value of a token of the design, as the page has it now. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** How words of the page are written on paper. */
export function written(size, {ink = '--ink', ...others} = {}) {
  return {size, colour: token(ink), family: token('--font'), ...others};
}

function legends() {
  return [...document.querySelectorAll('[data-legend], [aria-label="图例"]')].filter((each) => each.getClientRects().length && each.innerText.trim());
}

/** How far to the right the words and drawings of an element reach, from its left edge: blocks are wider than what they hold. */
function reach(root) {
  const left = root.getBoundingClientRect().x;
  const range = document.createRange();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  let right = left;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.nodeType === Node.TEXT_NODE && node.data.trim();
    if (!text && node.localName !== 'svg') continue;
    range.selectNode(node);
    right = Math.max(right, range.getBoundingClientRect().right);
  }
  return right - left;
}

/** Paint the legends of the page in the left lower corner of a box, each on a card. */
export async function paintLegends(context, {x, y, height}) {
  let lower = y + height - 12;
  for (const legend of legends()) {
    const box = legend.getBoundingClientRect();
    context.save();
    context.translate(x + 12, lower - box.height - 16);
    Object.assign(context, {fillStyle: token('--surface'), strokeStyle: token('--line'), lineWidth: 1});
    context.beginPath();
    context.roundRect(0, 0, reach(legend) + 24, box.height + 16, 8);
    context.fill();
    context.stroke();
    context.translate(12, 8);
    await paint(context, legend);
    context.restore();
    lower -= box.height + 24;
  }
}

/** Paint where north is in the right upper corner of a box. */
export function paintNorth(context, {x, y, width}, bearing = 0) {
  context.save();
  context.translate(x + width - 26, y + 30);
  context.rotate((-bearing * Math.PI) / 180);
  context.fillStyle = token('--ink');
  context.beginPath();
  context.moveTo(0, -12);
  context.lineTo(7, 10);
  context.lineTo(0, 5);
  context.lineTo(-7, 10);
  context.fill();
  context.restore();
  write(context, '北', x + width - 26, y + 50, written(13, {bold: true, align: 'center'}));
}

/** Return a sheet of paper as a canvas; `words` collects what is written on it instead of painting it. */
async function sheetOf({title, note, foot, paper, draw, words}) {
  const [wide, high] = PAPERS[paper].map((side) => side * UNIT);
  const ratio = DOTS / 96;
  const [left, top] = [MARGIN * UNIT, (MARGIN + HEAD) * UNIT];
  const box = {x: left, y: top, width: wide - 2 * left, height: high - top - (MARGIN + FOOT) * UNIT};
  const sheet = document.createElement('canvas');
  Object.assign(sheet, {width: Math.round(wide * ratio), height: Math.round(high * ratio)});
  const context = sheet.getContext('2d');
  if (words) collectWords(context, words);
  context.scale(ratio, ratio);
  context.fillStyle = token('--surface');
  context.fillRect(0, 0, wide, high);
  document.documentElement.classList.add('picturing'); // legends that have no room on the page show beside it
  try {
    await draw(context, box, paper);
  } finally {
    document.documentElement.classList.remove('picturing');
  }
  Object.assign(context, {strokeStyle: token('--line'), lineWidth: 1});
  context.strokeRect(box.x, box.y, box.width, box.height);
  const middle = (MARGIN + HEAD / 2 - 1) * UNIT;
  write(context, title, left, note ? middle - 11 : middle, written(24, {bold: true, most: box.width}));
  if (note) write(context, note, left, middle + 15, written(13, {ink: '--ink-2', most: box.width}));
  write(context, foot, left, high - (MARGIN + FOOT / 2 - 2) * UNIT, written(13, {ink: '--ink-2', most: box.width}));
  return sheet;
}

function today() {
  return new Intl.DateTimeFormat('zh-CN', {timeZone: 'Asia/Shanghai', dateStyle: 'long'}).format(new Date());
}

/** What an element of the page marked for pictures says: the words of its mark, or its own. */
function said(mark) {
  const found = document.querySelector(`[data-picture-${mark}]`);
  return found ? (found.getAttribute(`data-picture-${mark}`) || found.innerText).replace(/\s+/g, ' ').trim() : '';
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function asPdf(panel, png, title, paper, words) {
  const body = new FormData();
  const parts = {title, paper, words: JSON.stringify(words), csrfmiddlewaretoken: panel.dataset.token};
  Object.entries(parts).forEach(([name, value]) => body.set(name, value));
  body.set('picture', png, 'map.png');
  const answer = await fetch(panel.dataset.picture, {method: 'POST', body, headers: {Accept: 'application/pdf, application/problem+json'}});
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || '');
  return answer.blob();
}

async function make(panel, as, {attribution, draw, remember}) {
  const [field, paper, told] = ['title', 'paper', 'said'].map((part) => panel.querySelector(`[data-picture-${part}]`));
  const buttons = [...panel.querySelectorAll('[data-picture-as]')];
  const title = field.value.trim() || '地图';
  const parts = [today(), said('as-of'), said('source'), attribution()].filter(Boolean);
  const words = as === 'pdf' ? [] : null;
  buttons.forEach((button) => { button.disabled = true; });
  told.textContent = '正在画，请稍等…';
  try {
    const sheet = await onPaper(() => sheetOf({title, note: said('note'), foot: parts.join(' · '), paper: paper.value, draw, words}), remember);
    const png = await new Promise((resolve) => { sheet.toBlob(resolve, 'image/png'); });
    save(words ? await asPdf(panel, png, title, paper.value, words) : png, `${title.replace(/[\\/:*?"<>|]/g, '_')}.${as}`);
    told.textContent = '已存到下载的文件里。';
  } catch (fault) {
    told.textContent = /[\u4e00-\u9fff]/.test(fault.message) ? fault.message : '没能画成。请等地图显示完整后再试一次。';
  }
  buttons.forEach((button) => { button.disabled = false; });
}

/**
 * Offer what a page shows as a picture, by those panels `[data-picture]` that are its `own`, of now or of later; their fields have no
 * names, for they may lie in a form. `called` says what the picture is called at first, `attribution` whose map it is, `draw` draws into a
 * box of the context, in pixels of a page. Paper is light, whatever the page looks like: `remember` says what stands there and returns
 * a wait until all of it stands there in another look. Elements of the page say more: `data-picture-heading` what is found, `data-picture-note` what
 * is told, `data-picture-as-of` of when, `data-picture-source` from where.
 */
export function offer({own, called, attribution, draw, remember = () => async () => {}}) {
  const panelOf = (event) => {
    const panel = event.target.closest ? event.target.closest('[data-picture]') : null;
    return panel && own(panel) ? panel : null;
  };
  document.addEventListener('toggle', (event) => {
    const panel = panelOf(event);
    const field = panel && panel.querySelector('[data-picture-title]');
    if (panel && panel.open && !field.value) field.value = said('heading') || called() || '地图';
  }, true); // it does not bubble
  document.addEventListener('keydown', (event) => { if (event.key === 'Enter' && event.target.matches('[data-picture-title]')) event.preventDefault(); });
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-picture-as]');
    const panel = button && panelOf(event);
    if (panel) make(panel, button.dataset.pictureAs, {attribution, draw, remember});
  });
}
