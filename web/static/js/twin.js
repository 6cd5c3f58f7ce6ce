// 数字孪生: one building turned about as people like; its floors by the names the model gives them. Texts and facts stand without it.
const canvas = document.getElementById('twin-canvas');
const said = document.getElementById('twin-said');
const floors = document.getElementById('twin-floors');
const back = document.getElementById('twin-back');
const entry = JSON.parse(document.getElementById('twin-entry').textContent);
const TURN = Math.PI / 12;
const LOW = 0.02;
const HIGH = Math.PI / 2 - 0.02;

/** Lead back to the map this page was opened from, at the same view. */
function leadBack() {
  const kept = new URLSearchParams(window.location.hash.slice(1));
  const from = new URL(kept.get('back') || back.getAttribute('href'), window.location.origin);
  kept.delete('back');
  if (from.origin !== window.location.origin) return;
  const rest = [...kept].map(([key, value]) => `${key}=${value}`).join('&');
  back.href = from.pathname + from.search + (rest ? `#${rest}` : '');
}

/** The parts of a model that have names of their own: those of the first level that has more than one. */
function partsOf(root) {
  let level = root;
  while (level.children.length === 1 && level.children[0].children.length) [level] = level.children;
  return level.children.filter((each) => each.userData.name || each.name).map((node) => ({node, name: node.userData.title || node.userData.name || node.name}));
}

function offerParts(parts, draw) {
  if (parts.length < 2) return;
  const holder = floors.querySelector('[data-parts]');
  parts.forEach(({node, name}) => {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), {type: 'checkbox', checked: true});
    label.className = 'scene-check';
    label.append(input, Object.assign(document.createElement('span'), {textContent: name}));
    input.addEventListener('change', () => { node.visible = input.checked; draw(); });
    holder.append(label);
  });
  floors.querySelectorAll('[data-all]').forEach((button) => button.addEventListener('click', () => {
    holder.querySelectorAll('input').forEach((input, at) => {
      input.checked = button.dataset.all === 'on';
      parts[at].node.visible = input.checked;
    });
    draw();
  }));
  floors.hidden = false;
}

/** How far away a camera that is turned so sees all corners of a box, and a little around it. */
function awayFrom(three, camera, box, {around, over}) {
  const forward = new three.Vector3(-Math.sin(around) * Math.cos(over), Math.cos(around) * Math.cos(over), -Math.sin(over));
  const right = new three.Vector3().crossVectors(forward, camera.up).normalize();
  const up = new three.Vector3().crossVectors(right, forward);
  const tall = Math.tan((camera.fov * Math.PI) / 360) * 0.85;
  const wide = tall * (canvas.clientWidth / canvas.clientHeight || 1);
  const half = box.getSize(new three.Vector3()).multiplyScalar(0.5);
  const corners = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [-1, 1].map((z) => half.clone().multiply(new three.Vector3(x, y, z)))));
  return Math.max(...corners.map((corner) => Math.max(Math.abs(corner.dot(right)) / wide, Math.abs(corner.dot(up)) / tall) - corner.dot(forward)));
}

async function start() {
  const [three, {lights, openModel}, {lightOf}] = await Promise.all([import('../vendor/three.mjs'), import('./scene-model.js'), import('./scene-sun.js')]);
  const renderer = new three.WebGLRenderer({canvas, antialias: true, alpha: true});
  const world = new three.Scene();
  const lamp = lights();
  const camera = new three.PerspectiveCamera(40, 1, 0.5, 5000);
  const target = new three.Vector3();
  const view = {around: -0.6, over: 0.5, away: 60};
  let whole = null;
  let asked = false;
  camera.up.set(0, 0, 1);
  world.add(...lamp.nodes);
  lamp.shine(lightOf({azimuth: 215, altitude: 48}));

  const place = () => {
    const flat = Math.cos(view.over) * view.away;
    camera.position.set(target.x + Math.sin(view.around) * flat, target.y - Math.cos(view.around) * flat, target.z + Math.sin(view.over) * view.away);
    camera.lookAt(target);
    camera.updateMatrixWorld();
  };
  const draw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      const {clientWidth: width, clientHeight: height} = canvas;
      if (!width || !height) return;
      renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
      renderer.setSize(width, height, false);
      camera.aspect = width / height;
      camera.updateProjectionMatrix();
      place();
      model.update(camera, width, height);
      renderer.render(world, camera);
      canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
    });
  };
  const home = () => {
    const box = new three.Box3().setFromObject(model.group);
    if (box.isEmpty()) return;
    whole = box.getSize(new three.Vector3()).length();
    box.getCenter(target);
    Object.assign(view, {around: -0.6, over: 0.5});
    view.away = awayFrom(three, camera, box, view);
    camera.near = whole / 200;
    camera.far = whole * 20;
  };
  const model = openModel(entry, {
    changed: (state) => {
      if (state === 'slow') said.textContent = '网络慢，模型还在载入。下面的信息先看。';
      if (state === 'ready' && !whole) {
        home();
        said.textContent = '点模型上的一处，看它离地多高。';
        canvas.dataset.ready = 'true';
        offerParts(partsOf(model.content.children[0] || model.content), draw);
      }
      draw();
    },
    failed: (fault, partly) => { said.textContent = partly ? '有几块没有取到，其余照常。' : '模型没有取到。请过一会儿刷新；下面的信息照常能看。'; },
  });
  world.add(model.group);
  watch({three, camera, model, view, draw, home, limits: () => [(whole || 60) * 0.15, (whole || 60) * 6]});
  new ResizeObserver(draw).observe(canvas);
  draw();
}

/** Turning, nearing and asking: by mouse, fingers, keys and buttons alike. */
function watch({three, camera, model, view, draw, home, limits}) {
  const held = new Map();
  let moved = 0;
  const turn = (around, over) => {
    view.around += around;
    view.over = Math.min(HIGH, Math.max(LOW, view.over + over));
    draw();
  };
  const near = (times) => {
    const [least, most] = limits();
    view.away = Math.min(most, Math.max(least, view.away * times));
    draw();
  };
  const acts = {
    left: () => turn(-TURN, 0), right: () => turn(TURN, 0), up: () => turn(0, TURN / 2), down: () => turn(0, -TURN / 2),
    in: () => near(0.8), out: () => near(1.25), home: () => { home(); draw(); },
  };
  const keys = {ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down', '+': 'in', '=': 'in', '-': 'out', Home: 'home'};
  const apart = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  document.querySelectorAll('[data-turn]').forEach((button) => button.addEventListener('click', acts[button.dataset.turn]));
  canvas.addEventListener('keydown', (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    acts[keys[event.key]]();
  });
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    near(event.deltaY > 0 ? 1.1 : 0.9);
  }, {passive: false});
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved = held.size > 1 ? Infinity : 0;
  });
  canvas.addEventListener('pointermove', (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const before = held.size === 2 ? apart() : 0;
    held.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved += Math.abs(event.clientX - last.x) + Math.abs(event.clientY - last.y);
    if (held.size === 2) near(before / Math.max(1, apart()));
    else turn((last.x - event.clientX) * 0.008, (event.clientY - last.y) * 0.008);
  });
  const drop = (event) => held.delete(event.pointerId);
  canvas.addEventListener('pointercancel', drop);
  canvas.addEventListener('pointerup', (event) => {
    drop(event);
    if (moved > 6) return;
    const box = canvas.getBoundingClientRect();
    const at = new three.Vector2(((event.clientX - box.x) / box.width) * 2 - 1, 1 - ((event.clientY - box.y) / box.height) * 2);
    const caster = new three.Raycaster();
    caster.setFromCamera(at, camera);
    const hit = caster.intersectObject(model.group, true).find(({object}) => shown(object));
    said.textContent = hit ? `这里离地 ${hit.point.z.toFixed(1)} 米。` : '点模型上的一处，看它离地多高。';
  });
  canvas.addEventListener('webglcontextlost', (event) => {
    event.preventDefault();
    said.textContent = '显卡忙，画面停了一下，正在恢复。';
  });
  canvas.addEventListener('webglcontextrestored', () => {
    said.textContent = '';
    draw();
  });
}

/** The raycaster also meets what is hidden. */
function shown(object) {
  for (let each = object; each; each = each.parent) if (!each.visible) return false;
  return true;
}

leadBack();
window.addEventListener('hashchange', leadBack);
if (document.documentElement.classList.contains('map-ready')) {
  start().catch(() => { said.textContent = '三维画面没有打开。请刷新一次；下面的信息照常能看。'; });
}
