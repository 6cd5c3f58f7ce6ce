// Paints parts of a page onto a canvas as they look: boxes, drawings and words, each where it stands. Words of a canvas that are
// collected are not painted: whoever makes a file of it writes them as text.
const SPRITE = new Map();
const COLLECTED = new WeakMap();
const LOOKS = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'paint-order', 'vector-effect', 'opacity', 'color',
  'font-family', 'font-size', 'font-weight', 'text-anchor', 'dominant-baseline'];

/** Collect the words that are written on a canvas from now on instead of painting them, or paint them again; returns where they went. */
export function collectWords(context, words) {
  const before = COLLECTED.get(context) || null;
  COLLECTED.set(context, words);
  return before;
}

function hexOf(context, colour) {
  context.fillStyle = colour;
  const [hex] = /^#[0-9a-f]{6}/.exec(context.fillStyle) || ['#000000'];
  return hex;
}

/** Write a line of words whose middle stands at a height; where words are collected they are kept in dots of the canvas. */
export function write(context, text, x, y, {size, bold = false, colour, family, align = 'left', most = 0}) {
  Object.assign(context, {font: `${bold ? 700 : 400} ${size}px ${family}`, fillStyle: colour, textBaseline: 'middle', textAlign: align});
  const wide = Math.min(context.measureText(text).width, most || Infinity);
  const words = COLLECTED.get(context);
  if (!words) {
    context.fillText(text, x, y, most || undefined);
    context.textAlign = 'left';
    return;
  }
  const {a, d, e, f} = context.getTransform();
  words.push({text, x: a * x + e, y: d * y + f, size: a * size, wide: a * wide, bold, align, colour: hexOf(context, colour)});
  context.textAlign = 'left';
}

function seen(node) {
  const style = getComputedStyle(node);
  return !node.classList.contains('no-print') && style.display !== 'none' && style.visibility !== 'hidden' && Number(style.opacity) > 0;
}

/** The symbol that a `use` of a sprite means, asked for once. */
async function symbolOf(href) {
  const [address, name] = href.split('#');
  if (!SPRITE.has(address)) {
    SPRITE.set(address, fetch(address).then((answer) => answer.text()).then((text) => new DOMParser().parseFromString(text, 'image/svg+xml')));
  }
  return (await SPRITE.get(address)).getElementById(name);
}

/** A copy of a drawing with the looks the page gives it written into it. */
function dressed(drawing) {
  const copy = drawing.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll('*')];
  [drawing, ...drawing.querySelectorAll('*')].forEach((node, at) => {
    const style = getComputedStyle(node);
    LOOKS.forEach((name) => copies[at].style.setProperty(name, style.getPropertyValue(name)));
  });
  return copy;
}

/** The hatches a drawing is filled with that stand in another drawing of the page. */
function borrowed(copy) {
  const names = [...copy.querySelectorAll('*')].map((node) => (/url\("?#([^")]+)/.exec(node.style.fill) || [])[1]);
  return [...new Set(names)].filter((name) => name && !copy.querySelector(`#${name}`)).map((name) => document.getElementById(name)).filter(Boolean);
}

/** A drawing as an image of a size in pixels, as large as it stands on the page where none is given. */
async function imageOf(svg, width = 0, height = 0) {
  const copy = dressed(svg);
  const box = svg.getBoundingClientRect();
  copy.prepend(...borrowed(copy).map(dressed));
  await Promise.all([...copy.querySelectorAll('use')].map(async (node) => {
    const symbol = await symbolOf(node.href.baseVal);
    const part = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    part.setAttribute('viewBox', symbol.getAttribute('viewBox'));
    part.style.cssText = node.style.cssText;
    ['stroke', 'stroke-linecap', 'stroke-linejoin', 'fill'].forEach((name) => {
      if (symbol.hasAttribute(name)) part.style.setProperty(name, symbol.getAttribute(name)); // a symbol has the last word
    });
    part.innerHTML = symbol.innerHTML;
    node.replaceWith(part);
  }));
  copy.setAttribute('width', width || box.width);
  copy.setAttribute('height', height || box.height);
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

function paintBox(context, node, box) {
  const style = getComputedStyle(node);
  const edge = parseFloat(style.borderTopWidth) || 0;
  context.beginPath();
  context.roundRect(box.x + edge / 2, box.y + edge / 2, box.width - edge, box.height - edge, Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.width / 2));
  context.fillStyle = style.backgroundColor;
  context.fill();
  if (!edge || style.borderTopStyle === 'none') return;
  context.setLineDash(style.borderTopStyle === 'dashed' ? [3, 2] : []);
  Object.assign(context, {strokeStyle: style.borderTopColor, lineWidth: edge});
  context.stroke();
  context.setLineDash([]);
}

function paintWords(context, text, at) {
  const range = document.createRange();
  range.selectNodeContents(text);
  const [box] = range.getClientRects();
  const words = text.data.replace(/\s+/g, ' ').trim();
  if (!box || !words) return;
  const {fontFamily: family, fontSize, fontWeight, color: colour} = getComputedStyle(text.parentElement);
  write(context, words, box.x - at.x, box.y - at.y + box.height / 2, {size: parseFloat(fontSize), bold: Number(fontWeight) > 500, colour, family});
}

/** Paint a drawing of the page into a box of its own, whole and as large as it goes; returns the box it takes. */
export async function paintDrawing(context, svg, {x, y, width, height}) {
  const {width: wide, height: high} = svg.viewBox.baseVal;
  const scale = Math.min(width / wide, height / high);
  const size = [wide * scale, high * scale];
  const taken = {x: x + (width - size[0]) / 2, y: y + (height - size[1]) / 2, width: size[0], height: size[1]};
  const dots = context.getTransform().a;
  context.drawImage(await imageOf(svg, size[0] * dots, size[1] * dots), taken.x, taken.y, taken.width, taken.height);
  return taken;
}

/** Paint an element with its left upper corner at the origin of the context. */
export async function paint(context, root) {
  const at = root.getBoundingClientRect();
  const walk = async (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      paintWords(context, node, at);
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || !seen(node)) return;
    const box = node.getBoundingClientRect();
    const place = {x: box.x - at.x, y: box.y - at.y, width: box.width, height: box.height};
    if (box.width < 2 || box.height < 2) return; // words for those who do not look
    if (node.localName === 'svg') {
      context.drawImage(await imageOf(node), place.x, place.y, place.width, place.height);
      return;
    }
    paintBox(context, node, place);
    for (const child of node.childNodes) await walk(child); // one after the other: later ones lie on top
  };
  await walk(root);
}
