// The catalogue: keys for its list, the map of a layer with what is under a click, a function tried with its real answer.
import {say} from './announce.js';
import {dark} from './scheme.js';

const MOST_SHOWN = 20000;
const SHOWN = 'shown';

// The list: / to the words, J and K from one entry to the next

function walk(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const links = Array.from(document.querySelectorAll('#catalogue h3 a'));
  if (event.key === '/') {
    const words = document.getElementById('q');
    if (words) { event.preventDefault(); words.focus(); }
    return;
  }
  const step = {j: 1, k: -1}[event.key.toLowerCase()];
  if (!step || !links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + step))].focus();
}

// One layer: drawn as its style says, and what it says of itself under a click

function tell(said, feature, titles) {
  const list = document.createElement('dl');
  list.className = 'facts';
  Object.entries(feature.properties).forEach(([name, value]) => {
    if (!(name in titles) && name !== 'count') return;
    const [term, words] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = titles[name] || '几处合在一起';
    words.textContent = {true: '是', false: '否'}[String(value)] || String(value);
    list.append(term, words);
  });
  said.replaceChildren(list);
}

async function preview(holder) {
  const {openMap} = await import('./desk-map.js');
  const {source, box, layers, titles, from_zoom: fromZoom} = JSON.parse(document.getElementById('layer-drawn').textContent);
  const said = document.getElementById('layer-said');
  const theme = () => (dark.matches ? 'dark' : 'light');
  // Our own map draws some of these layers too: what is shown here has a name of its own.
  const shown = () => layers[theme()].map((layer) => ({...layer, id: `shown-${layer.id}`, source: SHOWN}));
  const whole = holder.dataset.bbox.split(',').map(Number);
  const [west, south, east, north] = box || whole;
  const deep = fromZoom > 9 ? {center: [(west + east) / 2, (south + north) / 2], zoom: fromZoom + 0.5} : null;
  const map = await openMap(holder, deep || {bounds: [[west, south], [east, north]], fitBoundsOptions: {padding: 32, maxZoom: 16}});
  map.on('style.load', () => {
    map.addSource(SHOWN, source);
    shown().forEach((layer) => map.addLayer(layer));
  });
  map.on('styleimagemissing', ({id}) => {
    if (!id.startsWith('pin:') || map.hasImage(id)) return;
    const image = new Image(32, 40);
    image.onload = () => { if (!map.hasImage(id)) map.addImage(id, image); };
    image.src = `/pins/${theme()}/${id.slice(4)}.svg`;
  });
  map.on('click', ({point}) => {
    const around = [[point.x - 6, point.y - 6], [point.x + 6, point.y + 6]];
    const ids = shown().map((layer) => layer.id).filter((id) => map.getLayer(id));
    const [hit] = map.queryRenderedFeatures(around, {layers: ids});
    if (hit) tell(said, hit, titles);
  });
}

// One function: what comes back, as it comes back

async function tryOut(form) {
  const [said, shown] = [document.getElementById('tried-said'), document.getElementById('tried')];
  const fields = new FormData(form);
  const asked = {headers: {Accept: 'application/json'}};
  let address = form.getAttribute('action');
  if (form.method === 'post') {
    asked.method = 'POST';
    asked.body = fields.get('body');
    Object.assign(asked.headers, {'Content-Type': 'application/json', 'X-CSRFToken': fields.get('csrfmiddlewaretoken')});
  } else if ([...fields.keys()].length) {
    address += `?${new URLSearchParams(fields)}`;
  }
  said.textContent = '正在问…';
  const begun = performance.now();
  try {
    const answer = await fetch(address, asked);
    const text = JSON.stringify(await answer.json(), null, 1);
    shown.hidden = false;
    shown.textContent = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n…（后面还有）` : text;
    said.textContent = `${answer.ok ? '答复' : '没有成功'}（${answer.status}），${Math.round(performance.now() - begun)} 毫秒`;
  } catch (fault) {
    said.textContent = '没有收到答复，请检查网络和填的内容，再试一次。';
  }
  say(said.textContent);
}

const holder = document.getElementById('layer-map');
const form = document.querySelector('[data-try]');
document.addEventListener('keydown', walk);
if (holder && document.documentElement.classList.contains('map-ready')) preview(holder);
if (form) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    tryOut(form);
  });
  if (form.dataset.try !== 'act') tryOut(form); // what leaves something behind is done by whoever asks for it
}
