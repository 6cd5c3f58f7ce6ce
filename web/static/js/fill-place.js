// The form behind a link: where the institution stands is a pin on a map in place of two numbers.
const holder = document.querySelector('.fill-map .map');

async function start() {
  const [{openMap}, {movablePin}] = await Promise.all([import('./desk-map.js'), import('./pin.js')]);
  const input = document.getElementById(holder.dataset.input);
  const held = (input.value || holder.dataset.at || '').split(',').map(Number);
  const known = held.length === 2 && held.every(Number.isFinite);
  holder.parentElement.hidden = false;
  input.hidden = true;
  document.querySelector('[data-numbers]').hidden = true;
  const edges = holder.dataset.bbox.split(',').map(Number);
  const whole = {bounds: [[edges[0], edges[1]], [edges[2], edges[3]]]};
  const map = await openMap(holder, known ? {center: held, zoom: input.value ? 17 : 15} : whole);
  const write = (at) => { input.value = `${at.lng.toFixed(6)},${at.lat.toFixed(6)}`; };
  const pin = movablePin(map, map.getCenter(), {moved: write});
  map.on('click', (event) => {
    pin.setLngLat(event.lngLat);
    write(event.lngLat);
  });
}

if (holder && document.documentElement.classList.contains('map-ready')) start();
