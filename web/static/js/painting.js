// Paints parts of a page onto a canvas as they look: boxes, drawings and words, each where it stands.
const SPRITE = new Map();

function seen(node) {
  const style = getComputedStyle(node);
  return style.display !== 'none' && style.visibility !== 'hidden' && Number(style.opacity) > 0;
}

/** The symbol that a `use` of a sprite means, asked for once. */
async function symbolOf(href) {
  const [address, name] = href.split('#');
  if (!SPRITE.has(address)) {
    SPRITE.set(address, fetch(address).then((answer) => answer.text()).then((text) => new DOMParser().parseFromString(text, 'image/svg+xml')));
  }
  return (await SPRITE.get(address)).getElementById(name);
}

/** A drawing with the colours the page gives it written into it, as an image. */
async function imageOf(svg) {
  const copy = svg.cloneNode(true);
  const box = svg.getBoundingClientRect();
  const own = [svg, ...svg.querySelectorAll('*')];
  const copies = [copy, ...copy.querySelectorAll('*')];
  own.forEach((node, at) => {
    const style = getComputedStyle(node);
    ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'color'].forEach((name) => {
      copies[at].style.setProperty(name, style.getPropertyValue(name));
    });
  });
  await Promise.all(copies.filter((node) => node.localName === 'use').map(async (node) => {
    const symbol = await symbolOf(node.href.baseVal);
    const part = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    part.setAttribute('viewBox', symbol.getAttribute('viewBox'));
    ['stroke', 'stroke-linecap', 'stroke-linejoin', 'fill'].forEach((name) => {
      if (symbol.hasAttribute(name)) part.setAttribute(name, symbol.getAttribute(name));
    });
    part.setAttribute('style', node.getAttribute('style'));
    part.innerHTML = symbol.innerHTML;
    node.replaceWith(part);
  }));
  copy.setAttribute('width', box.width);
  copy.setAttribute('height', box.height);
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
  const style = getComputedStyle(text.parentElement);
  Object.assign(context, {font: `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`, fillStyle: style.color, textBaseline: 'middle'});
  context.fillText(words, box.x - at.x, box.y - at.y + box.height / 2);
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
