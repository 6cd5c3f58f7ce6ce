// A picture of a map as it is seen, for a report or a wall: title, legend, scale, date and the numbers it must bear; PNG or PDF.
import * as maplibre from '../vendor/maplibre-gl.mjs';
import {paint} from './painting.js';
import {metresAPixel} from './scale.js';

const PAPERS = {'a4-wide': [297, 210], 'a4-high': [210, 297], 'a3-wide': [420, 297]};
const DOTS = 150;
const UNIT = 96 / 25.4; // pixels of a page in a millimetre
const MARGIN = 10;
const HEAD = 16;
const FOOT = 12;
const PATIENCE = 30000;
const ROUND = [1, 2, 5];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function legends() {
  return [...document.querySelectorAll('[data-legend], [aria-label="图例"]')].filter((each) => each.getClientRects().length && each.innerText.trim());
}

/** Draw what a map shows anew, in a size of its own; the page's map stays as it is. */
async function draw(map, width, height) {
  const holder = document.createElement('div');
  Object.assign(holder.style, {position: 'fixed', left: '-20000px', top: '0', width: `${width}px`, height: `${height}px`});
  document.body.append(holder);
  const copy = new maplibre.Map({
    container: holder, style: map.getStyle(), interactive: false, attributionControl: false, fadeDuration: 0,
    pixelRatio: DOTS / 96, maxPitch: 85, canvasContextAttributes: {preserveDrawingBuffer: true},
    center: map.getCenter(), zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch(),
    localIdeographFontFamily: '"PingFang SC","HarmonyOS Sans SC","Microsoft YaHei UI","Noto Sans CJK SC",sans-serif',
  });
  map.listImages().forEach((name) => {
    const image = map.getImage(name);
    copy.once('styledata', () => { if (!copy.hasImage(name)) copy.addImage(name, image.data, {pixelRatio: image.pixelRatio, sdf: image.sdf}); });
  });
  if (!map.getPitch()) {
    const camera = copy.cameraForBounds(map.getBounds(), {bearing: map.getBearing()});
    if (camera) copy.jumpTo(camera);
  }
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('slow')), PATIENCE);
    copy.once('idle', resolve);
  });
  return copy;
}

const ANCHORS = {
  bottom: (box) => [box.x + box.width / 2, box.bottom],
  top: (box) => [box.x + box.width / 2, box.y],
  center: (box) => [box.x + box.width / 2, box.y + box.height / 2],
};

/** Pins and words that stand over a map are elements of the page: each is painted where its point now lies. */
async function paintMarkers(context, map, copy) {
  const own = map.getContainer().getBoundingClientRect();
  for (const node of map.getContainer().querySelectorAll('.maplibregl-marker')) {
    const box = node.getBoundingClientRect();
    const name = Object.keys(ANCHORS).find((each) => node.classList.contains(`maplibregl-marker-anchor-${each}`)) || 'center';
    const [x, y] = ANCHORS[name](box);
    const at = copy.project(map.unproject([x - own.x, y - own.y]));
    context.save();
    context.translate(at.x - (x - box.x), at.y - (y - box.y));
    await paint(context, node);
    context.restore();
  }
}

function paintScale(context, copy, right, bottom) {
  const pixel = metresAPixel(copy);
  let metres = 1;
  for (let at = 0; metres / pixel < 70; at += 1) metres = ROUND[at % 3] * 10 ** Math.floor(at / 3);
  const width = metres / pixel;
  Object.assign(context, {strokeStyle: token('--ink-2'), fillStyle: token('--ink-2'), lineWidth: 1.5, textBaseline: 'bottom'});
  context.beginPath();
  context.moveTo(right - width, bottom - 6);
  context.lineTo(right - width, bottom);
  context.lineTo(right, bottom);
  context.lineTo(right, bottom - 6);
  context.stroke();
  context.font = `13px ${token('--font')}`;
  context.textAlign = 'right';
  context.fillText(metres < 1000 ? `${metres} 米` : `${metres / 1000} 公里`, right, bottom - 8);
  context.textAlign = 'left';
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

/** Legends stand in the left lower corner of the map, each on a card. */
async function paintLegends(context, left, bottom) {
  let lower = bottom - 12;
  for (const legend of legends()) {
    const box = legend.getBoundingClientRect();
    context.save();
    context.translate(left + 12, lower - box.height - 16);
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

function northArrow(context, right, top, bearing) {
  context.save();
  context.translate(right - 26, top + 30);
  context.rotate((-bearing * Math.PI) / 180);
  Object.assign(context, {fillStyle: token('--ink'), font: `700 13px ${token('--font')}`, textAlign: 'center', textBaseline: 'bottom'});
  context.beginPath();
  context.moveTo(0, -12);
  context.lineTo(7, 10);
  context.lineTo(0, 5);
  context.lineTo(-7, 10);
  context.fill();
  context.fillText('北', 0, -13);
  context.restore();
}

/** Return a sheet of paper with a map on it as a canvas. */
export async function sheetOf(map, {title, paper, words}) {
  const [wide, high] = PAPERS[paper].map((side) => side * UNIT);
  const ratio = DOTS / 96;
  const [left, top] = [MARGIN * UNIT, (MARGIN + HEAD) * UNIT];
  const [width, height] = [wide - 2 * left, high - top - (MARGIN + FOOT) * UNIT];
  const copy = await draw(map, width, height);
  const sheet = document.createElement('canvas');
  Object.assign(sheet, {width: Math.round(wide * ratio), height: Math.round(high * ratio)});
  const context = sheet.getContext('2d');
  context.scale(ratio, ratio);
  context.fillStyle = token('--surface');
  context.fillRect(0, 0, wide, high);
  context.drawImage(copy.getCanvas(), left, top, width, height);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.translate(left, top);
  await paintMarkers(context, map, copy);
  context.restore();
  await paintLegends(context, left, top + height);
  northArrow(context, left + width, top, copy.getBearing());
  paintScale(context, copy, left + width - 14, top + height - 14);
  Object.assign(context, {strokeStyle: token('--line'), lineWidth: 1});
  context.strokeRect(left, top, width, height);
  Object.assign(context, {fillStyle: token('--ink'), font: `700 24px ${token('--font')}`, textBaseline: 'middle'});
  context.fillText(title, left, (MARGIN + HEAD / 2 - 1) * UNIT, width);
  Object.assign(context, {fillStyle: token('--ink-2'), font: `13px ${token('--font')}`});
  context.fillText(words, left, high - (MARGIN + FOOT / 2 - 2) * UNIT, width);
  copy.remove();
  copy.getContainer().remove();
  return sheet;
}

function today() {
  return new Intl.DateTimeFormat('zh-CN', {timeZone: 'Asia/Shanghai', dateStyle: 'long'}).format(new Date());
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function asPdf(menu, png, title, paper) {
  const body = new FormData();
  Object.entries({title, paper, csrfmiddlewaretoken: menu.dataset.token}).forEach(([name, value]) => body.set(name, value));
  body.set('picture', png, 'map.png');
  const answer = await fetch(menu.dataset.picture, {method: 'POST', body, headers: {Accept: 'application/pdf, application/problem+json'}});
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || '');
  return answer.blob();
}

/** Offer a map of a page as a picture, by the panel that stands among its buttons: fields without names, for it may lie in a form. */
export function offerPicture(holder, map) {
  const menu = holder.parentElement.querySelector('[data-picture]');
  if (!menu) return;
  const [field, paper, said] = ['title', 'paper', 'said'].map((part) => menu.querySelector(`[data-picture-${part}]`));
  const buttons = [...menu.querySelectorAll('[data-picture-as]')];
  const busy = (now) => buttons.forEach((button) => { button.disabled = now; });
  menu.addEventListener('toggle', () => {
    const heading = document.querySelector('main h1');
    if (menu.open && !field.value) field.value = (heading && heading.innerText.trim()) || holder.getAttribute('aria-label') || '地图';
  });
  menu.addEventListener('keydown', (event) => { if (event.key === 'Enter' && event.target === field) event.preventDefault(); });
  const make = async (as) => {
    const title = field.value.trim() || '地图';
    const attribution = holder.parentElement.querySelector('.attribution');
    const words = `${today()} · ${attribution ? attribution.textContent.trim() : ''}`;
    busy(true);
    said.textContent = '正在画，请稍等…';
    try {
      const sheet = await sheetOf(map, {title, paper: paper.value, words});
      const png = await new Promise((resolve) => { sheet.toBlob(resolve, 'image/png'); });
      save(as === 'pdf' ? await asPdf(menu, png, title, paper.value) : png, `${title.replace(/[\\/:*?"<>|]/g, '_')}.${as}`);
      said.textContent = '已存到下载的文件里。';
    } catch (fault) {
      said.textContent = /[\u4e00-\u9fff]/.test(fault.message) ? fault.message : '没能画成。请等地图显示完整后再试一次。';
    }
    busy(false);
  };
  buttons.forEach((button) => button.addEventListener('click', () => make(button.dataset.pictureAs)));
}
