// A picture of a map as it is seen: drawn anew in the size of a sheet of paper, with what stands over it, its legend and its scale.
import * as maplibre from '../vendor/maplibre-gl.mjs';
import {collectWords, paint, write} from './painting.js';
import {DOTS, offer, paintLegends, paintNorth, token, written} from './paper.js';
import {metresAPixel} from './scale.js';

const PATIENCE = 30000;
const ROUND = [1, 2, 5];

/** Wait until the map of a picture stands still; `dressPicture` of a map draws there what is no part of its style. */
async function still(map, copy) {
  if (map.dressPicture) {
    await copy.once('load');
    await map.dressPicture(copy);
    copy.triggerRepaint();
  }
  await copy.once('idle');
  return true;
}

/** The layers of a style that show something. */
function filled({layers, sources}) {
  const empty = (source) => source && source.type === 'geojson' && source.data && source.data.features && !source.data.features.length;
  return layers.filter((layer) => !empty(sources[layer.source])).map((layer) => layer.id);
}

/** Remember what a map shows; returns a wait until all of it is there again, after the map took another style. */
function remember(map) {
  const layers = filled(map.getStyle());
  const images = map.listImages();
  const back = () => {
    const style = map.getStyle(); // none while it is loaded
    const now = new Set(style ? filled(style) : []);
    return layers.every((id) => now.has(id)) && images.every((name) => map.hasImage(name));
  };
  return async () => {
    const until = performance.now() + PATIENCE;
    while (!back()) {
      if (performance.now() > until) throw new Error('slow');
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  };
}

/** Draw what a map shows anew, in a size of its own, until it is dropped; the page's map stays as it is. */
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
  const drop = () => {
    copy.remove();
    holder.remove();
  };
  const drawn = await Promise.race([
    still(map, copy).catch(() => false),
    new Promise((resolve) => { setTimeout(() => resolve(false), PATIENCE); }),
  ]);
  if (!drawn) {
    drop();
    throw new Error('slow');
  }
  return {copy, drop};
}

const ANCHORS = {
  bottom: (box) => [box.x + box.width / 2, box.bottom],
  top: (box) => [box.x + box.width / 2, box.y],
  center: (box) => [box.x + box.width / 2, box.y + box.height / 2],
};

/** Pins and words that stand over a map are elements of the page: each is painted where its point now lies. */
async function paintMarkers(context, map, copy) {
  const own = map.getContainer().getBoundingClientRect();
  const words = collectWords(context, null); // numbers of pins lie below other pins
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
  collectWords(context, words);
}

function paintScale(context, copy, right, bottom) {
  const pixel = metresAPixel(copy);
  let metres = 1;
  for (let at = 0; metres / pixel < 70; at += 1) metres = ROUND[at % 3] * 10 ** Math.floor(at / 3);
  const width = metres / pixel;
  Object.assign(context, {strokeStyle: token('--ink-2'), lineWidth: 1.5});
  context.beginPath();
  context.moveTo(right - width, bottom - 6);
  context.lineTo(right - width, bottom);
  context.lineTo(right, bottom);
  context.lineTo(right, bottom - 6);
  context.stroke();
  write(context, metres < 1000 ? `${metres} 米` : `${metres / 1000} 公里`, right, bottom - 15, written(13, {ink: '--ink-2', align: 'right'}));
}

/** Draw a map into a box of the context. */
async function drawMap(map, context, box) {
  const {copy, drop} = await draw(map, box.width, box.height);
  context.drawImage(copy.getCanvas(), box.x, box.y, box.width, box.height);
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  context.translate(box.x, box.y);
  await paintMarkers(context, map, copy);
  context.restore();
  await paintLegends(context, box);
  paintNorth(context, box, copy.getBearing());
  paintScale(context, copy, box.x + box.width - 14, box.y + box.height - 14);
  drop();
}

/** Offer a map of a page as a picture, by the panel among its buttons and those that name it. */
export function offerPicture(holder, map) {
  offer({
    own: (panel) => holder.parentElement.contains(panel) || panel.dataset.pictureOf === holder.id,
    called: () => {
      const heading = document.querySelector('main h1');
      return (heading && heading.innerText.trim()) || holder.getAttribute('aria-label');
    },
    attribution: () => {
      const found = holder.parentElement.querySelector('.attribution');
      return found ? found.textContent.trim() : '';
    },
    draw: (context, box) => drawMap(map, context, box),
    remember: () => remember(map),
  });
}
