// Setting how a layer is drawn: each change shows at once on the map, in the legend and in the histogram; nothing is saved by it.
import {openMap} from './desk-map.js';
import {addPins} from './pins.js';
import {say} from './announce.js';
import {dark} from './scheme.js';

const SHOWN = 'styled';
const SVG = 'http://www.w3.org/2000/svg';
const form = document.getElementById('style-form');
const parts = document.getElementById('style-parts');
const holder = document.getElementById('style-map');
let map = null;
let asked = null;

function island(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

function theme() {
  return dark.matches ? 'dark' : 'light';
}

// The map

function draw() {
  const {source, layers} = island('style-drawn');
  map.getStyle().layers.filter((layer) => layer.source === SHOWN).forEach((layer) => map.removeLayer(layer.id));
  if (!map.getSource(SHOWN)) map.addSource(SHOWN, source);
  layers[theme()].forEach((layer) => map.addLayer({...layer, id: `styled-${layer.id}`, source: SHOWN}));
  holder.dataset.drawn = String(Number(holder.dataset.drawn || 0) + 1);
}

async function startMap() {
  const {box, from_zoom: deep} = island('style-drawn');
  const [west, south, east, north] = box || holder.dataset.bbox.split(',').map(Number);
  const near = {center: [(west + east) / 2, (south + north) / 2], zoom: deep + 0.5};
  map = await openMap(holder, deep > 9 ? near : {bounds: [[west, south], [east, north]], fitBoundsOptions: {padding: 32, maxZoom: 16}});
  addPins(map, theme);
  map.on('style.load', draw);
  if (map.isStyleLoaded()) draw();
}

// A change asks for the parts anew

async function show() {
  if (asked) asked.abort();
  asked = new AbortController();
  const body = new FormData(form);
  body.set('act', 'preview');
  const grip = document.activeElement && document.activeElement.dataset.cut;
  try {
    const answer = await fetch(form.action || window.location.href, {method: 'POST', body, signal: asked.signal, headers: {'X-Fragment': 'style'}});
    if (!answer.ok) throw new Error(String(answer.status));
    parts.innerHTML = await answer.text();
    const cuts = island('style-breaks');
    const written = document.getElementById('breaks');
    if (written && document.getElementById('method').value !== 'manual') written.value = cuts.join(', ');
    drawCuts();
    if (grip) parts.querySelector(`[data-cut="${grip}"]`)?.focus();
    if (map) draw();
    say(document.getElementById('style-faults') ? '还有要改的地方' : '预览已更新');
  } catch (fault) {
    if (fault.name !== 'AbortError') say('网络断了，预览没有更新。恢复后再改一次。');
  }
}

form.addEventListener('change', (event) => {
  if (event.target.name === 'note') return;
  if (event.target.name === 'kind' || event.target.name === 'attribute') { // other entries stand in the form then
    form.querySelector('button[value="preview"]').click();
    return;
  }
  if (event.target.name === 'breaks') document.getElementById('method').value = 'manual';
  show();
});

// Breaks are moved by mouse, finger and keys

function tidy(value, span) {
  const digits = Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(span))));
  return Number(value.toFixed(digits));
}

function drawCuts() {
  const chart = document.getElementById('style-histogram');
  const written = document.getElementById('breaks');
  if (!chart || !written) return;
  const [least, most, wide, high] = ['least', 'most', 'wide', 'high'].map((key) => Number(chart.dataset[key]));
  const span = most - least;
  const cuts = island('style-breaks');
  const put = (node, value) => {
    const x = Math.max(0, Math.min(wide, ((value - least) / span) * wide));
    node.setAttribute('transform', `translate(${x} 0)`);
    node.setAttribute('aria-valuenow', String(value));
    node.setAttribute('aria-valuetext', `第 ${Number(node.dataset.cut) + 1} 个界限 ${value}`);
  };
  const move = (node, value) => {
    const at = Number(node.dataset.cut);
    const [low, top] = [at ? cuts[at - 1] : least, at < cuts.length - 1 ? cuts[at + 1] : most];
    const tidied = tidy(Math.max(least, Math.min(most, value)), span);
    if (tidied <= low || (tidied >= top && at < cuts.length - 1) || tidied > top) return;
    cuts[at] = tidied;
    put(node, tidied);
    written.value = cuts.join(', ');
    document.getElementById('method').value = 'manual';
  };
  cuts.forEach((value, at) => {
    const node = document.createElementNS(SVG, 'g');
    node.setAttribute('class', 'cut');
    node.dataset.cut = String(at);
    node.setAttribute('tabindex', '0');
    node.setAttribute('role', 'slider');
    node.setAttribute('aria-label', `第 ${at + 1} 个界限`);
    node.setAttribute('aria-valuemin', String(least));
    node.setAttribute('aria-valuemax', String(most));
    node.innerHTML = `<rect class="grip" x="-14" y="-8" width="28" height="${high + 16}"></rect><line y1="0" y2="${high}"></line><circle r="7"></circle>`;
    put(node, value);
    node.addEventListener('keydown', (event) => {
      const way = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
      if (!way) return;
      event.preventDefault();
      move(node, cuts[at] + (way * span * (event.shiftKey ? 0.1 : 0.01)));
      window.clearTimeout(drawCuts.later);
      drawCuts.later = window.setTimeout(show, 400);
    });
    node.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      node.focus();
      node.setPointerCapture(event.pointerId);
      const follow = (moved) => {
        const box = chart.getBoundingClientRect();
        move(node, least + ((moved.clientX - box.left) / box.width) * span);
      };
      node.addEventListener('pointermove', follow);
      node.addEventListener('pointerup', () => {
        node.removeEventListener('pointermove', follow);
        show();
      }, {once: true});
    });
    chart.append(node);
  });
}

drawCuts();
startMap();
