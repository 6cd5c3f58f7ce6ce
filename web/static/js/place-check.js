// The form of a place: where it stands is asked of the server while somebody types or drags, and what does not fit is said at once.
const form = document.getElementById('place-form');
const said = document.getElementById('place-said');
const WATCHED = ['lon', 'lat', 'address_text', 'district', 'street', 'kind_id', 'name'];
const REGIONS = ['district', 'street'];
const chosen = new Set();
let timer = 0;
let asked = null;

function control(name) {
  return form.elements.namedItem(name);
}

function line(text, tone) {
  const node = document.createElement('p');
  node.className = tone;
  node.textContent = text;
  said.append(node);
  return node;
}

// The point follows the address on demand: the numbers change, and the pin with them.
function offerDoor(door) {
  const lon = control('lon');
  const lat = control('lat');
  if (!door || (Number(lon.value) === door.lon && Number(lat.value) === door.lat)) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button quiet';
  button.textContent = `把位置放到地址“${door.label}”`;
  button.addEventListener('click', () => {
    lon.value = String(door.lon);
    lat.value = String(door.lat);
    lat.dispatchEvent(new Event('change', {bubbles: true}));
    ask();
  });
  said.append(button);
}

// What nobody chose follows the point.
function follow(answer) {
  REGIONS.forEach((name) => {
    const select = control(name);
    if (!chosen.has(name) && answer[name] && select.querySelector(`option[value="${CSS.escape(answer[name])}"]`)) select.value = answer[name];
  });
}

function show(answer) {
  said.textContent = '';
  follow(answer);
  if (answer.said) line(`位置在 ${answer.said}`, 'caption');
  answer.findings.forEach((one) => {
    if (REGIONS.includes(one.field) && !chosen.has(one.field)) return;
    const node = line(one.message, one.blocks ? 'form-error' : 'form-doubt');
    if (!one.place) return;
    const link = document.createElement('a');
    link.href = `/desk/places/${one.place}/edit`;
    link.textContent = ' 打开那一家';
    node.append(link);
  });
  offerDoor(answer.door);
}

async function ask() {
  if (asked) asked.abort();
  asked = new AbortController();
  const query = new URLSearchParams(WATCHED.map((name) => [name, control(name).value]));
  query.set('place', form.dataset.place);
  REGIONS.forEach((name) => { if (!chosen.has(name)) query.delete(name); });
  try {
    const answer = await fetch(`${form.dataset.check}?${query}`, {signal: asked.signal, headers: {Accept: 'application/json'}});
    if (answer.ok) show(await answer.json());
  } catch (fault) {
    if (fault.name !== 'AbortError') said.textContent = '没能核对位置，保存时会再核对。';
  }
}

if (form && !control('lon').disabled) {
  REGIONS.forEach((name) => control(name).addEventListener('change', () => {
    if (control(name).value) chosen.add(name);
    else chosen.delete(name);
  }));
  WATCHED.forEach((name) => ['input', 'change'].forEach((kind) => control(name).addEventListener(kind, () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 350);
  })));
}
