// The map of supervisors: the numbers of the page on the map, and a place opened beside it without leaving.
const answer = JSON.parse(document.getElementById('watch-answer').textContent);
const holder = document.getElementById('watch-map');
const SHAPES = {
  bad: {token: '--bad', path: 'M7 1h8l6 6v8l-6 6H7l-6-6V7z'},
  warn: {token: '--warn', path: 'M11 2 21 20H1z'},
  notice: {token: '--accent', path: 'M11 1 21 11 11 21 1 11z'},
};
const SIZE = 22;
let map = null;
let measuring = () => false;
let current = answer.place;

// A place beside the map

async function open(address, {push = true} = {}) {
  const found = await fetch(address, {headers: {Accept: 'text/html'}}).catch(() => null);
  if (!found || !found.ok) {
    window.location.href = address; // the server says what is wrong, or the browser that there is no network
    return;
  }
  const page = new DOMParser().parseFromString(await found.text(), 'text/html');
  const side = page.getElementById('side');
  document.getElementById('side').replaceWith(side);
  document.title = page.title;
  if (push) window.history.pushState({}, '', address);
  const place = side.querySelector('.watch-place');
  current = place ? place.dataset.place : '';
  document.querySelectorAll('.watch-table tbody tr').forEach((row) => {
    const link = row.querySelector('.row-link');
    row.classList.toggle('current', Boolean(current) && new URL(link.href).searchParams.get('place') === current);
  });
  (side.querySelector('h2') || side).focus({preventScroll: true});
  if (window.matchMedia('(max-width: 1180px)').matches) side.scrollIntoView({block: 'start'});
  if (map && map.getLayer('places')) map.setFilter('place-now', ['==', ['to-string', ['get', 'id']], current]);
}

document.addEventListener('click', (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  const link = event.target.closest('[data-side], .watch-waiting a, .watch-table .row-link');
  if (!link) return;
  const address = new URL(link.href);
  if (!link.matches('[data-side]') && !address.searchParams.get('place')) return;
  event.preventDefault();
  open(address.href);
});
window.addEventListener('popstate', () => {
  const place = new URL(window.location.href).searchParams.get('place') || '';
  if (place !== current) open(window.location.href, {push: false});
});

// The map

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function picture({token: name, path}) {
  const ratio = 2;
  const canvas = document.createElement('canvas');
  canvas.width = SIZE * ratio;
  canvas.height = SIZE * ratio;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const shape = new Path2D(path);
  pen.fillStyle = token(name);
  pen.fill(shape);
  pen.strokeStyle = token('--pin-ring');
  pen.lineWidth = 1.6;
  pen.lineJoin = 'round';
  pen.stroke(shape);
  return {image: pen.getImageData(0, 0, canvas.width, canvas.height), ratio};
}

function drawn() {
  const features = answer.places.map((place) => ({
    type: 'Feature',
    geometry: {type: 'Point', coordinates: [place.lon, place.lat]},
    properties: place,
  }));
  map.addSource('watched', {type: 'geojson', data: {type: 'FeatureCollection', features}});
  areas();
  for (const [level, shape] of Object.entries(SHAPES)) {
    const {image, ratio} = picture(shape);
    map.addImage(`watch-${level}`, image, {pixelRatio: ratio});
  }
  map.addLayer({id: 'calm', type: 'circle', source: 'watched', filter: ['==', ['get', 'level'], ''], paint: {
    'circle-radius': 4, 'circle-color': token('--surface'), 'circle-stroke-color': token('--ink-3'), 'circle-stroke-width': 1.6,
  }});
  map.addLayer({id: 'place-now', type: 'circle', source: 'watched', filter: ['==', ['to-string', ['get', 'id']], current], paint: {
    'circle-radius': 17, 'circle-color': token('--accent-soft'), 'circle-stroke-color': token('--accent'), 'circle-stroke-width': 3,
  }});
  map.addLayer({id: 'places', type: 'symbol', source: 'watched', filter: ['!=', ['get', 'level'], ''], layout: {
    'icon-image': ['concat', 'watch-', ['get', 'level']], 'icon-allow-overlap': true,
    'symbol-sort-key': ['match', ['get', 'level'], 'bad', 3, 'warn', 2, 1],
    'text-field': ['case', ['>', ['get', 'count'], 1], ['to-string', ['get', 'count']], ''],
    'text-size': 11, 'text-font': ['sans-serif'], 'text-allow-overlap': true,
  }, paint: {'text-color': token('--surface')}});
  for (const layer of ['places', 'calm']) {
    map.on('click', layer, (event) => { if (!measuring()) open(answer.url.replace('ID', event.features[0].properties.id)); });
    map.on('mouseenter', layer, () => { map.getCanvas().style.cursor = 'pointer'; });
    map.on('mouseleave', layer, () => { map.getCanvas().style.cursor = ''; });
  }
  holder.dataset.drawn = 'true';
}

// Regions: their edges, and a number on each that has something, the greatest first where they crowd

function areas() {
  const codes = answer.regions.map((region) => region.code);
  if (!codes.length || !map.getSource('regions')) return;
  const shown = {source: 'regions', 'source-layer': 'regions', filter: ['in', ['get', 'code'], ['literal', codes]]};
  map.addLayer({id: 'watched-areas', type: 'fill', ...shown, paint: {'fill-color': token('--accent'), 'fill-opacity': 0}});
  map.addLayer({id: 'watched-edges', type: 'line', ...shown, paint: {'line-color': token('--control'), 'line-width': 1.4}});
  map.on('click', 'watched-areas', (event) => {
    if (measuring() || map.queryRenderedFeatures(event.point, {layers: ['places', 'calm']}).length) return;
    const region = answer.regions.find((each) => each.code === event.features[0].properties.code);
    if (region) window.location.href = region.url;
  });
  const numbered = answer.regions.filter((region) => region.count).map((region) => region.name);
  for (const layer of ['district-names', 'street-names']) {
    const own = map.getFilter(layer);
    if (own) map.setFilter(layer, ['all', own, ['!', ['in', ['get', 'name'], ['literal', numbered]]]]);
  }
}

function spots(maplibre) {
  const nodes = answer.regions.filter((region) => region.count).map((region) => {
    const node = document.createElement('a');
    node.className = 'watch-spot';
    node.href = region.url;
    const number = document.createElement('b');
    number.textContent = region.count.toLocaleString('en');
    const name = document.createElement('span');
    name.textContent = region.name;
    node.append(number, name);
    node.addEventListener('click', (event) => { if (measuring()) event.preventDefault(); });
    const row = document.querySelector(`.watch-row[data-code="${region.code}"]`);
    const light = (on) => { node.classList.toggle('lit', on); if (row) row.classList.toggle('lit', on); };
    [node, row].filter(Boolean).forEach((each) => {
      ['mouseenter', 'focus'].forEach((kind) => each.addEventListener(kind, () => light(true)));
      ['mouseleave', 'blur'].forEach((kind) => each.addEventListener(kind, () => light(false)));
    });
    new maplibre.Marker({element: node, anchor: 'top', offset: [0, -13]}).setLngLat([region.lon, region.lat]).addTo(map);
    return node;
  });
  const declutter = () => {
    const taken = [];
    const free = (box) => !taken.some((one) => box.left < one.right - 3 && one.left < box.right - 3 && box.top < one.bottom - 3 && one.top < box.bottom - 3);
    nodes.forEach((node) => {
      const [number, name] = [...node.children].map((child) => child.getBoundingClientRect());
      const crowded = !free(number);
      const nameless = crowded || !free(name);
      if (!crowded) taken.push(number);
      if (!nameless) taken.push(name);
      node.toggleAttribute('data-crowded', crowded);
      node.toggleAttribute('data-nameless', nameless);
    });
  };
  map.on('moveend', declutter);
  map.on('load', declutter);
  declutter();
}

async function start() {
  const [{openMap, maplibre}, {offerMeasuring}] = await Promise.all([import('./desk-map.js'), import('./measure.js')]);
  const box = answer.box || holder.dataset.bbox.split(',').map(Number);
  map = await openMap(holder, {bounds: [[box[0], box[1]], [box[2], box[3]]], fitBoundsOptions: {padding: 28}});
  spots(maplibre);
  map.on('style.load', drawn);
  map.on('load', () => { measuring = offerMeasuring(map); });
}

if (document.documentElement.classList.contains('map-ready')) start();
