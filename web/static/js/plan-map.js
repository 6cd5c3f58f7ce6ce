// The planner's table: areas are chosen, drawn, changed, cut, joined and repaired; every change is kept at once and can be undone.
import {openMap} from './desk-map.js';
import {say} from './announce.js';
import {lengthOf, lengthWords, measuredWords} from './measure.js';
import {Corners, Sketch, Snapping} from './plan-editing.js';
import {EMPTY, Shapes, boundsOf, collection, drawLens, feature, middleOf} from './plan-shapes.js';

const holder = document.getElementById('plan-map');
const address = holder.dataset.areas.replace(/\.json$/, '');
const editable = holder.dataset.edit === 'yes';
const noun = holder.dataset.noun;
const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const unsentKey = `unsent ${address}`;
const HINTS = {
  draw: '一个角一个角地点，点回第一个角就画好了。按住 Alt 不吸附。',
  edit: '拖动圆点改边；小点是加一个角；选中圆点按 Delete 删除，方向键移动 1 米。',
  split: `从${noun}外面画起，穿过它，再画到外面，双击结束。`,
  merge: `点一下要并进来的相邻${noun}。`,
  part: `画出要加给它的一块，可以和它不相连；点回第一个角就加上。`,
  hole: '画出要挖去的地方，画在里面就成一个洞；点回第一个角就挖好。',
  circle: '先点圆心，再点圆边上的一点。',
  corridor: '沿着路一个点一个点地点，双击结束。',
  isochrone: '点一下出发的地方；也可以在左边写地址。',
  measure: '点两个以上的点量距离，双击结束。',
};
const ON_CHOSEN = ['edit', 'split', 'merge', 'part', 'hole'];
const CLOSED = ['draw', 'part', 'hole'];
const table = {areas: EMPTY, flaws: EMPTY, revision: 0, chosen: '', tool: 'choose', drawn: null};
let map = null;
let shapes = null;
let snapping = null;
let corners = null;
let sketch = null;
let queue = Promise.resolve();
let checking = 0;

// Talking to the server

const token = () => (document.querySelector('[name="csrfmiddlewaretoken"]') || {}).value || '';

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function answerOf(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail || '没能做成，请再试一次。'), {problem, status: response.status});
}

async function post(path, fields) {
  const body = new FormData();
  Object.entries({...fields, csrfmiddlewaretoken: token()}).forEach(([name, value]) => body.append(name, value));
  return answerOf(await fetch(`${address}/${path}`, {method: 'POST', body, headers: {Accept: 'application/json'}}));
}

const get = async (path) => answerOf(await fetch(path, {headers: {Accept: 'application/json'}}));

function tell(text, again = null) {
  const said = document.getElementById('plan-said');
  said.hidden = !text;
  said.textContent = text || '';
  if (!text) return;
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'button quiet';
  close.textContent = again ? '重新载入' : '知道了';
  close.addEventListener('click', () => { tell(''); if (again) again(); });
  said.append(close);
}

/** Do one act; acts wait for each other, so each is sent with the revision that the one before it made. */
function act(fields) {
  const sent = {key: newKey(), ...fields};
  queue = queue.then(() => perform(sent));
  return queue;
}

async function perform(sent) {
  try {
    apply(await post('acts', {seen: table.revision, ...sent}));
    sessionStorage.removeItem(unsentKey);
    return true;
  } catch (fault) {
    if (!fault.problem) {
      sessionStorage.setItem(unsentKey, JSON.stringify(sent));
      unsaved('没有保存：网络断了，改动留在本机，恢复后自动保存');
      return false;
    }
    unsaved(`没有保存：${fault.message}`);
    if (fault.status === 409) tell(fault.message, () => load(table.chosen));
    else if (sent.act === 'shape') checkNow(sent.same, JSON.parse(sent.shape));
    else tell(fault.message);
    return false;
  }
}

function sendAgain() {
  const kept = sessionStorage.getItem(unsentKey);
  if (!kept) return;
  sessionStorage.removeItem(unsentKey);
  act(JSON.parse(kept));
}

function unsaved(words) {
  const line = document.querySelector('.plan-saved');
  if (line) {
    line.querySelector('svg').toggleAttribute('hidden', true);
    line.lastChild.textContent = words;
  }
  say(words);
}

async function load(chosen) {
  try {
    apply(await get(`${address}.json?area=${encodeURIComponent(chosen)}`));
  } catch (fault) {
    tell(fault.message);
  }
}

function apply(answer) {
  Object.assign(table, {areas: answer.areas, flaws: answer.flaws, revision: answer.revision, chosen: answer.chosen, drawn: null});
  ['bar', 'areas', 'checks'].forEach((part) => { document.getElementById(`plan-${part}`).innerHTML = answer.parts[part]; });
  document.querySelectorAll('#plan-areas [data-area-shown]').forEach((box) => { box.checked = !shapes.hidden.has(box.dataset.areaShown); });
  const line = document.querySelector('#plan-areas .chosen');
  if (line) line.scrollIntoView({block: 'nearest'});
  history.replaceState(null, '', table.chosen ? `?area=${table.chosen}` : location.pathname);
  if (answer.said) say(`已保存：${answer.said}`);
  shapes.show('preview', EMPTY);
  filterList();
  draw();
  if (corners) { corners.stop(); corners = null; }
  if (table.tool === 'edit') beginEdit();
}

// What is drawn

const chosenArea = () => table.areas.features.find((each) => each.properties.same === table.chosen) || null;

function shapeNow() {
  const area = chosenArea();
  return table.drawn || (area && area.geometry);
}

function draw() {
  const seen = table.areas.features.filter((each) => !shapes.hidden.has(each.properties.same));
  const area = chosenArea();
  shapes.show('areas', collection(seen.filter((each) => each !== area)));
  const geometry = area && !shapes.hidden.has(table.chosen) ? shapeNow() : null;
  shapes.show('chosen', geometry ? collection([feature(geometry)]) : EMPTY);
  shapes.show('flaws', table.flaws);
  shapes.name(geometry && area.properties, geometry && middleOf(geometry));
  snapping.keep('areas', table.areas.features.filter((each) => each !== area));
  lens();
}

function lens() {
  const svg = document.getElementById('plan-inset');
  const fault = !sketch && table.flaws.features.find((each) => each.properties.kind === 'overlap');
  const of = (same) => (table.areas.features.find((each) => each.properties.same === same) || {}).geometry;
  drawLens(svg, map, fault, fault && (fault.properties.area === table.chosen ? shapeNow() : of(fault.properties.area)), fault && of(fault.properties.other));
}

function flyTo(geometry) {
  const bounds = boundsOf(geometry);
  if (!bounds.isEmpty()) map.fitBounds(bounds, {padding: {left: window.innerWidth > 960 ? 110 : 40, top: 60, right: 60, bottom: 60}, maxZoom: 17.5, duration: still.matches ? 0 : 300});
}

async function choose(same, {fly = false} = {}) {
  await load(same);
  const area = chosenArea();
  if (fly && area) flyTo(area.geometry);
  if (area) say(`已选${area.properties.name}`);
}

// Checks while somebody draws

async function checkNow(same, geometry) {
  checking += 1;
  const mine = checking;
  try {
    const answer = await post('check', {same, shape: JSON.stringify(geometry)});
    if (mine !== checking) return;
    document.getElementById('plan-checks').innerHTML = answer.checks;
    table.flaws = answer.flaws;
    shapes.show('flaws', table.flaws);
    lens();
  } catch (fault) {
    if (mine === checking && fault.problem) hint(fault.message);
  }
}

let waiting = 0;
function checkSoon(same, geometry) {
  if (waiting) window.clearTimeout(waiting);
  waiting = window.setTimeout(() => { waiting = 0; checkNow(same, geometry); }, 220);
}

// Tools

function hint(words) {
  document.getElementById('plan-hint').textContent = words || '';
}

function press(tool) {
  document.querySelectorAll('.plan-tools [data-tool]').forEach((button) => {
    if (!['snap', 'overlay'].includes(button.dataset.tool)) button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  });
}

function stopAll() {
  if (sketch) { sketch.stop(); sketch = null; }
  if (corners) { corners.stop(); corners = null; }
  shapes.show('sketch', EMPTY);
  document.getElementById('plan-sketch').hidden = true;
  if (editable) document.getElementById('plan-new').hidden = true;
}

function use(tool) {
  if (tool === 'snap') { turnSnap(); return; }
  if (tool === 'overlay') { document.querySelector('[data-layer="before"]').click(); return; }
  stopAll();
  table.tool = tool;
  press(tool);
  if (ON_CHOSEN.includes(tool) && !table.chosen) {
    hint(`先点地图或列表选一个${noun}。`);
    return;
  }
  hint(HINTS[tool] || '');
  if (tool === 'edit') beginEdit();
  if ([...CLOSED, 'split', 'measure', 'circle', 'corridor', 'isochrone'].includes(tool)) beginSketch(tool);
}

function turnSnap() {
  snapping.on = !snapping.on;
  const button = document.querySelector('[data-tool="snap"]');
  button.setAttribute('aria-pressed', String(snapping.on));
  hint(snapping.on ? '吸附开：靠近道路、边界和邻居时自动对齐。' : '吸附关。');
}

function beginEdit() {
  const geometry = shapeNow();
  if (!geometry) return;
  const same = table.chosen;
  corners = new Corners(map, snapping, geometry, (changed, settled) => {
    table.drawn = changed;
    shapes.show('chosen', collection([feature(changed)]));
    if (settled) {
      window.clearTimeout(waiting);
      act({act: 'shape', same, shape: JSON.stringify(changed)});
    } else checkSoon(same, changed);
  });
  if (!corners.markers.length) hint('顶点太多，请放大地图再改边。');
}

function beginSketch(tool) {
  const closes = CLOSED.includes(tool);
  document.getElementById('plan-sketch').hidden = false;
  sketch = new Sketch(map, snapping, {
    closes,
    changed(points, moving) {
      const line = moving ? [...points, moving] : points;
      const features = points.map((point) => feature({type: 'Point', coordinates: point}));
      if (line.length > 1) features.push(feature({type: 'LineString', coordinates: line}));
      if (closes && line.length > 2) features.push(feature({type: 'Polygon', coordinates: [[...line, line[0]]]}));
      if (tool === 'circle' && line.length > 1) {
        features.push(feature(ringAround(line[0], line[1])));
        hint(`半径 ${lengthWords(lengthOf(line))}`);
      }
      shapes.show('sketch', collection(features));
      if (tool === 'circle' && points.length > 1) { sketch.finish(); return; }
      if (tool === 'isochrone' && points.length) { sketch.stop(); sketched(tool, points); return; }
      if (tool === 'measure' && line.length > 1) hint(measuredWords(line, holder.dataset.plane));
      if (tool === 'draw' && points.length > 2 && !moving) checkSoon('', ringOf(points));
    },
    done: (points) => sketched(tool, points),
    cancelled: () => { stopAll(); use('choose'); load(table.chosen); },
  });
}

const ringOf = (points) => ({type: 'Polygon', coordinates: [[...points, points[0]]]});

function sketched(tool, points) {
  sketch = null;
  document.getElementById('plan-sketch').hidden = true;
  if (tool === 'measure') { use('measure'); return; }
  if (['circle', 'corridor', 'isochrone'].includes(tool)) { fillMade(tool, points); return; }
  if (tool === 'part' || tool === 'hole') {
    act({act: tool, same: table.chosen, shape: JSON.stringify(ringOf(points))}).then(() => use('choose'));
    return;
  }
  const form = document.querySelector('[data-act-form="new"]');
  form.dataset.drawing = tool === 'draw' ? JSON.stringify(ringOf(points)) : JSON.stringify({type: 'LineString', coordinates: points});
  form.elements.act.value = tool === 'draw' ? 'add' : 'split';
  document.getElementById('plan-new-title').textContent = tool === 'draw' ? `新${noun}` : `切出来的${noun}`;
  const section = document.getElementById('plan-new');
  section.hidden = false;
  document.querySelector('.plan-checks').scrollTop = 0;
  form.elements.name.focus();
  hint(`填好下面各项，点“保存${noun}”。`);
  if (tool === 'draw') checkNow('', JSON.parse(form.dataset.drawing));
}

/** Fill the form of what is made with what was drawn; its name and measures are still to be typed. */
function fillMade(tool, points) {
  const form = document.getElementById(`make-${tool}`);
  for (let each = form.closest('details'); each; each = each.parentElement.closest('details')) each.open = true;
  if (tool === 'circle') {
    form.elements.lon.value = points[0][0].toFixed(7);
    form.elements.lat.value = points[0][1].toFixed(7);
    form.elements.radius_m.value = Math.max(5, Math.round(lengthOf(points)));
  } else if (tool === 'isochrone') {
    form.elements.lon.value = points[0][0].toFixed(7);
    form.elements.lat.value = points[0][1].toFixed(7);
    form.elements.place.value = '地图上选的点';
  } else {
    form.elements.line.value = JSON.stringify({type: 'LineString', coordinates: points});
    form.elements.road.value = '';
  }
  form.elements.name.focus();
  hint({circle: '填好名称，点“画这个圆”。', corridor: '填好名称和宽度，点“画这条走廊”。', isochrone: '选怎么走、多少分钟，点“先看效果”或“画这个等时圈”。'}[tool]);
}

/** A ring of 64 corners through `edge` around `centre`, to look at while drawing; the server makes the true one. */
function ringAround(centre, edge) {
  const squash = Math.cos((centre[1] * Math.PI) / 180);
  const reach = Math.hypot((edge[0] - centre[0]) * squash, edge[1] - centre[1]);
  const corners = Array.from({length: 65}, (_, at) => [centre[0] + (reach * Math.cos((at * Math.PI) / 32)) / squash, centre[1] + reach * Math.sin((at * Math.PI) / 32)]);
  return {type: 'Polygon', coordinates: [corners]};
}

async function keepNew(form) {
  const adds = form.elements.act.value === 'add';
  const fields = {...Object.fromEntries(new FormData(form)), same: adds ? '' : table.chosen, [adds ? 'shape' : 'line']: form.dataset.drawing};
  delete fields.csrfmiddlewaretoken;
  if (await act(fields)) {
    form.reset();
    use('choose');
    const area = chosenArea();
    if (area) hint(`已保存“${area.properties.name}”。`);
  }
}

// Forms and lists of the page

document.addEventListener('submit', (event) => {
  const form = event.target.closest('[data-act-form]');
  if (!form) return;
  event.preventDefault();
  if (form.dataset.actForm === 'new') { keepNew(form); return; }
  const fields = Object.fromEntries(new FormData(form));
  if (event.submitter && event.submitter.name) fields[event.submitter.name] = event.submitter.value;
  delete fields.seen;
  delete fields.csrfmiddlewaretoken;
  if (fields.act === 'make') { delete fields.key; act(fields).then((done) => { if (done) { form.reset(); use('choose'); } }); return; }
  if (fields.act === 'repair' && fields.same === table.chosen && table.drawn) fields.shape = JSON.stringify(table.drawn);
  act(fields);
});

document.addEventListener('click', (event) => {
  const line = event.target.closest('#plan-areas a');
  const all = event.target.closest('[data-choose]');
  const tool = event.target.closest('[data-tool]');
  const step = event.target.closest('[data-sketch]');
  const looking = event.target.closest('[data-preview]');
  const made = event.target.closest('[data-look-made]');
  const check = event.target.closest('[data-flaw]');
  if (line) {
    event.preventDefault();
    choose(line.closest('li').dataset.same, {fly: true});
  } else if (all) {
    event.preventDefault();
    stopAll();
    use('choose');
    load('');
  } else if (tool) use(tool.dataset.tool);
  else if (step) sketchStep(step.dataset.sketch);
  else if (looking) look(looking);
  else if (made) { if (made.form.reportValidity()) lookMade(made.form); }
  else if (event.target.closest('[data-spot-on-map]')) { use('isochrone'); holder.scrollIntoView({block: 'nearest'}); }
  else if (check && !event.target.closest('button, a, input')) {
    const found = table.flaws.features.find((each) => each.properties.id === check.dataset.flaw);
    if (found) flyTo(found.geometry);
  }
});

function sketchStep(step) {
  if (step === 'cancel' && !sketch) { stopAll(); use('choose'); load(table.chosen); return; }
  if (!sketch) return;
  if (step === 'add') sketch.addInTheMiddle();
  if (step === 'back') sketch.back();
  if (step === 'done') sketch.finish();
  if (step === 'cancel') sketch.cancel();
}

/** Show what a form would make, with its size and what it would overlap; nothing is kept. */
async function lookMade(form) {
  const fields = Object.fromEntries(new FormData(form));
  delete fields.csrfmiddlewaretoken;
  try {
    const answer = await post('made', fields);
    const {geometry} = answer.areas.features[0];
    shapes.show('preview', answer.areas);
    holder.scrollIntoView({block: 'nearest'});
    flyTo(geometry);
    await checkNow(fields.same || '', geometry);
    hint(`${answer.said}。绿色虚线还没有保存。`);
    say(answer.said);
  } catch (fault) {
    tell(fault.message);
  }
}

async function look(button) {
  if (button.getAttribute('aria-pressed') === 'true') {
    button.setAttribute('aria-pressed', 'false');
    shapes.show('preview', EMPTY);
    return;
  }
  const fields = Object.fromEntries(new FormData(button.form));
  fields.repair = button.form.querySelector('[name="repair"]').value;
  if (fields.same === table.chosen && table.drawn) fields.shape = JSON.stringify(table.drawn);
  try {
    const answer = await post('preview', fields);
    shapes.show('preview', answer.areas);
    button.setAttribute('aria-pressed', 'true');
    hint('绿色虚线是修复后的边界，还没有保存。');
    flyTo((table.flaws.features.find((each) => each.properties.id === fields.flaw) || answer.areas.features[0]).geometry);
  } catch (fault) {
    tell(fault.message);
  }
}

document.addEventListener('input', (event) => {
  if (!event.target.matches('[data-spot]')) return;
  event.target.form.elements.lon.value = '';
  event.target.form.elements.lat.value = '';
});

document.addEventListener('change', (event) => {
  const shown = event.target.dataset.areaShown;
  const layer = event.target.dataset.layer;
  if (shown) {
    shapes.hidden[event.target.checked ? 'delete' : 'add'](shown);
    draw();
  }
  if (layer) showLayer(layer, event.target.checked);
});

document.addEventListener('keydown', (event) => {
  if (event.target.closest('input, textarea, select')) return;
  const letter = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && editable && (letter === 'z' || letter === 'y')) {
    event.preventDefault();
    act({act: letter === 'y' || event.shiftKey ? 'redo' : 'undo', same: table.chosen});
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (sketch && event.key === 'Enter' && !event.target.closest('button, a')) { sketch.finish(); return; }
  if (sketch && event.key === 'Backspace') { event.preventDefault(); sketch.back(); return; }
  if (event.key === 'Escape') { sketchStep('cancel'); if (!sketch) use('choose'); return; }
  const tool = document.querySelector(`.plan-tools [aria-keyshortcuts="${event.key.toUpperCase()}"]`);
  if (tool && editable) use(tool.dataset.tool);
});

// Layers under the areas, and finding

async function showLayer(name, on) {
  if (name === 'before') {
    const button = document.querySelector('[data-tool="overlay"]');
    if (button) button.setAttribute('aria-pressed', String(on));
  }
  if (!on) { shapes.show(name, EMPTY); return; }
  const box = map.getBounds();
  if (name === 'doors' && map.getZoom() < 14) { hint('放大地图后显示门牌。'); return; }
  const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(6)).join(',');
  try {
    shapes.show(name, await get(`${address}/layers/${name}.json${name === 'doors' ? `?bbox=${bbox}` : ''}`));
  } catch (fault) {
    hint(fault.message);
  }
}

async function refresh() {
  const doors = document.querySelector('[data-layer="doors"]');
  if (doors.checked && map.getZoom() >= 14) showLayer('doors', true);
  if (!editable || map.getZoom() < 14.5) return;
  const box = map.getBounds();
  const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(6)).join(',');
  try {
    snapping.keep('edges', (await get(`${address}/layers/edges.json?bbox=${bbox}`)).features);
  } catch (fault) {
    snapping.keep('edges', []);
  }
}

function filterList() {
  const words = document.getElementById('plan-q').value.trim();
  document.querySelectorAll('.plan-area-list li').forEach((line) => { line.hidden = Boolean(words) && !line.dataset.name.includes(words); });
}

async function find() {
  const words = document.getElementById('plan-q').value.trim();
  const list = document.getElementById('plan-found');
  list.replaceChildren();
  list.hidden = !words;
  if (!words) return;
  const answer = await get(`${address}/find?q=${encodeURIComponent(words)}`).catch((fault) => ({places: [], said: fault.message}));
  answer.places.forEach((place) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = place.name;
    button.addEventListener('click', () => map.jumpTo({center: [place.lon, place.lat], zoom: 17}));
    list.append(document.createElement('li'));
    list.lastChild.append(button);
  });
  if (!answer.places.length) {
    list.append(document.createElement('li'));
    list.lastChild.textContent = answer.said || `本区没有找到“${words}”。`;
  }
}

async function start() {
  const box = (holder.dataset.box || holder.dataset.bbox).split(',').map(Number);
  map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 30}, doubleClickZoom: !editable});
  shapes = new Shapes(map);
  snapping = new Snapping(map);
  map.on('move', lens);
  map.on('moveend', refresh);
  map.on('click', (event) => {
    if (sketch || corners) return;
    const [hit] = map.queryRenderedFeatures(event.point, {layers: ['areas']});
    const same = hit && hit.properties.same;
    if (table.tool === 'merge' && table.chosen && same) {
      act({act: 'merge', same: table.chosen, other: same}).then(() => use('choose'));
    } else if (same) choose(same);
  });
  await map.once('load');
  await load(new URLSearchParams(location.search).get('area') || '');
  const area = chosenArea();
  if (area) flyTo(area.geometry);
  document.querySelectorAll('[data-layer]:checked').forEach((box_) => showLayer(box_.dataset.layer, true));
  document.getElementById('plan-q').addEventListener('input', filterList);
  document.getElementById('plan-find').addEventListener('submit', (event) => { event.preventDefault(); find(); });
  window.addEventListener('online', sendAgain);
  window.setInterval(() => { if (sessionStorage.getItem(unsentKey)) sendAgain(); }, 8000);
  sendAgain();
  refresh();
  holder.dataset.drawn = 'true';
}

start();
