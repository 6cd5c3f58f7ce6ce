// Choropleths: a region lights up in the map and the ranking at once, another opens without leaving the full screen, all is renewed.
import {paint, paintDrawing, write} from './painting.js';
import {offer, paintNorth, written} from './paper.js';

const EVERY_MS = 600000;
const BESIDE = 0.38;
const GAP = 16;
const main = document.getElementById('main');

function light(code) {
  main.querySelectorAll('.areas-row').forEach((row) => row.classList.toggle('lit', row.dataset.code === code));
  main.querySelectorAll('.areas-map').forEach((map) => {
    const found = code && map.querySelector(`.areas-link[data-code="${code}"] .area`);
    map.querySelector('.areas-lit').setAttribute('d', found ? found.getAttribute('d') : '');
  });
}

const codeOf = (event) => {
  const found = event.target.closest ? event.target.closest('.areas-link, .areas-row') : null;
  return found ? found.dataset.code : '';
};
['mouseover', 'focusin'].forEach((kind) => main.addEventListener(kind, (event) => light(codeOf(event))));
['mouseleave', 'focusout'].forEach((kind) => main.addEventListener(kind, () => light('')));

/** Bring the chosen card into sight where the cards are wider than the screen. */
function showChosen() {
  const chosen = main.querySelector('.areas-card[data-chosen]');
  if (chosen) chosen.parentElement.scrollLeft = chosen.offsetLeft + (chosen.offsetWidth - chosen.parentElement.clientWidth) / 2;
}
showChosen();

async function open(address, {push, focus}) {
  const found = await fetch(address, {headers: {Accept: 'text/html'}}).catch(() => null);
  if (!found || !found.ok || found.redirected) {
    if (focus) window.location.href = address; // the server says what is wrong, or the browser that there is no network
    return;
  }
  const page = new DOMParser().parseFromString(await found.text(), 'text/html');
  const rank = main.querySelector('.areas-rank');
  const kept = rank && !focus ? rank.scrollTop : 0;
  main.replaceChildren(...page.getElementById('main').childNodes);
  document.querySelector('[data-as-of]').textContent = page.querySelector('[data-as-of]').textContent;
  document.title = page.title;
  showChosen();
  if (push) window.history.pushState({}, '', address);
  if (focus) {
    window.scrollTo(0, 0);
    main.querySelector('h1').focus({preventScroll: true});
  } else if (main.querySelector('.areas-rank')) main.querySelector('.areas-rank').scrollTop = kept;
}

main.addEventListener('click', (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  if (event.target.closest('[data-print]')) window.print();
  const link = event.target.closest('a[href]');
  if (!link || link.hasAttribute('download')) return;
  const address = new URL(link.getAttribute('href'), window.location.href);
  if (address.hash || !/^\/watch\/areas\/[^/]+$/.test(address.pathname)) return;
  event.preventDefault();
  open(address.href, {push: true, focus: true});
});
window.addEventListener('popstate', () => open(window.location.href, {push: false, focus: true}));

document.addEventListener('click', (event) => {
  main.querySelectorAll('.areas-menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
main.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && event.target.closest('.areas-menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});

document.querySelector('[data-full-screen]').addEventListener('click', () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen();
});

// renewed unless somebody is at it: a field or a menu is open
window.setInterval(() => {
  if (!document.hidden && !main.querySelector('details[open]')) open(window.location.href, {push: false, focus: false});
}, EVERY_MS);

// A picture of the map: the whole on the left, what is magnified and the legend beside it, on a high paper below it

function boxesOf({x, y, width, height}) {
  const inside = {x: x + GAP, y: y + GAP, width: width - 2 * GAP, height: height - 2 * GAP};
  if (width > height) {
    const wide = inside.width * BESIDE;
    return [{...inside, width: inside.width - wide - GAP}, {...inside, x: inside.x + inside.width - wide, width: wide}];
  }
  const high = inside.height * BESIDE;
  return [{...inside, height: inside.height - high - GAP}, {...inside, y: inside.y + inside.height - high, height: high}];
}

async function drawAreas(context, box) {
  const [whole, beside] = boxesOf(box);
  const legend = main.querySelector('.areas-legend [aria-label="图例"]');
  const part = main.querySelector('.areas-part');
  const {width, height} = legend.getBoundingClientRect();
  await paintDrawing(context, main.querySelector('.areas-whole .areas-map'), whole);
  if (part) {
    const room = {...beside, y: beside.y + 24, height: beside.height - 24};
    const below = box.width > box.height;
    const taken = await paintDrawing(context, part.querySelector('.areas-map'), below ? {...room, height: room.height - height - GAP} : {...room, width: room.width - width - GAP});
    write(context, part.querySelector('figcaption').innerText, taken.x + taken.width, taken.y - 12, written(13, {ink: '--ink-2', align: 'right'}));
  }
  context.save();
  context.translate(part ? beside.x + beside.width - width : beside.x, beside.y + beside.height - height);
  await paint(context, legend);
  context.restore();
  paintNorth(context, {...whole, x: whole.x - GAP});
}

offer({
  own: (panel) => main.contains(panel),
  called: () => main.querySelector('h1').innerText.trim(),
  attribution: () => main.querySelector('[data-picture-attribution]').innerText.trim(),
  draw: drawAreas,
});
