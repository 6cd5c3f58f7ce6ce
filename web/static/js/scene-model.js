// One placed model (3D Tiles or a single glTF) as a three.js group in metres about its place: x east, y north, z up, z 0 on the ground of the map.
import * as three from '../vendor/three.mjs';
import {mercatorOf, unitsAt} from './scene-sight.js';

const PATIENCE_MS = 30000;
const KEPT_BYTES = 160e6; // of a tileset on the graphics card: telephones have little
const SHARP_PX = 10; // a tile is refined until its error is smaller than this many pixels
const rad = (degrees) => (degrees * Math.PI) / 180;
const deg = (radians) => (radians * 180) / Math.PI;

/** A loader that takes textures as images: our policy lets no script fetch a blob. */
export function gltfLoader(manager) {
  const loader = new three.GLTFLoader(manager);
  loader.register((parser) => {
    parser.textureLoader = new three.TextureLoader(parser.options.manager);
    return {name: 'textures-as-images'};
  });
  return loader;
}

/** Fit what was loaded into our light: nothing stands around it that metal or glass could mirror or let through, and the sun is ours. */
function dress(root) {
  const lamps = [];
  root.traverse((each) => {
    if (each.isLight) lamps.push(each);
    [each.material].flat().filter(Boolean).forEach((material) => {
      if ('metalness' in material) material.metalness = 0;
      if (material.transmission) Object.assign(material, {transmission: 0, transparent: true, opacity: 0.4});
    });
  });
  lamps.forEach((lamp) => lamp.removeFromParent());
}

/** Turn a frame of metres (x east, y north, z up) by a heading, clockwise from the north, and scale it. */
function placed(entry, content) {
  const frame = new three.Group();
  frame.rotation.z = -rad(entry.heading_deg);
  frame.scale.setScalar(entry.scale);
  frame.position.z = entry.height_m;
  frame.add(content);
  return frame;
}

function single(entry, {changed, failed}) {
  const group = new three.Group();
  const stand = new three.Group();
  stand.rotation.x = Math.PI / 2; // glTF: y is up
  group.add(placed(entry, stand));
  let gone = false;
  let missed = false;
  const loader = gltfLoader(new three.LoadingManager());
  loader.manager.onLoad = () => { if (!gone) changed(); }; // also when the last texture has come
  const late = setTimeout(() => { if (!stand.children.length && !gone) changed('slow'); }, PATIENCE_MS);
  loader.loadAsync(entry.url).then(({scene}) => {
    clearTimeout(late);
    if (gone) return;
    dress(scene);
    stand.add(scene);
    group.updateMatrixWorld(true);
    changed('ready');
  }).catch((fault) => {
    clearTimeout(late);
    missed = true;
    if (!gone) failed(fault);
  });
  return {
    group,
    content: stand,
    update: () => {},
    busy: () => !gone && !stand.children.length && !missed,
    told: () => ({}),
    dispose() {
      gone = true;
      clearTimeout(late);
      stand.traverse((each) => {
        if (each.geometry) each.geometry.dispose();
        [each.material].flat().filter(Boolean).forEach((material) => {
          Object.values(material).forEach((value) => { if (value && value.isTexture) value.dispose(); });
          material.dispose();
        });
      });
    },
  };
}

/** The frame of a tileset that says itself where on the earth it is; `height_m` takes heights above the ellipsoid to the ground of the map. */
function earthly(entry, tiles) {
  const frame = tiles.ellipsoid.getEastNorthUpFrame(rad(entry.lat), rad(entry.lon), -entry.height_m, new three.Matrix4()).invert();
  frame.decompose(tiles.group.position, tiles.group.quaternion, tiles.group.scale);
}

/** Lay a tile on the ground of the map about its own middle: the plane of the whole tileset lies 2 m low 5 km from where it touches the earth. */
function settle(entry, tiles, scene) {
  const box = new three.Box3().setFromObject(scene);
  if (box.isEmpty()) return;
  const {lon, lat} = tiles.ellipsoid.getPositionToCartographic(box.getCenter(new three.Vector3()), {});
  const [[x, y], [fromX, fromY]] = [[deg(lon), deg(lat)], [entry.lon, entry.lat]].map(mercatorOf);
  const units = unitsAt(entry.lat);
  const scale = unitsAt(deg(lat)).map((unit, k) => unit / units[k]);
  const moved = new three.Matrix4().makeTranslation((x - fromX) / units[0], (fromY - y) / units[1], 0).scale(new three.Vector3(...scale));
  moved.multiply(tiles.ellipsoid.getEastNorthUpFrame(lat, lon, -entry.height_m, new three.Matrix4()).invert());
  tiles.group.updateMatrix();
  moved.premultiply(tiles.group.matrix.clone().invert());
  scene.updateMatrix();
  scene.matrix.premultiply(moved).decompose(scene.position, scene.quaternion, scene.scale);
  scene.userData.fromGround = moved.invert();
}

/** Earth-centred metres of a point of the three.js world that a ray met on an object of a tile. */
function earthCentred(tiles, point, object) {
  const at = tiles.group.worldToLocal(point.clone());
  for (let each = object; each; each = each.parent) if (each.userData.fromGround) return at.applyMatrix4(each.userData.fromGround);
  return at;
}

function tiled(entry, {changed, failed}) {
  const group = new three.Group();
  const tiles = new three.TilesRenderer(entry.url);
  tiles.errorTarget = SHARP_PX;
  Object.assign(tiles.lruCache, {minBytesSize: KEPT_BYTES / 2, maxBytesSize: KEPT_BYTES});
  tiles.manager.addHandler(/\.(gltf|glb)$/i, gltfLoader(tiles.manager));
  tiles.manager.onLoad = () => changed();
  const onEarth = entry.positioned;
  if (onEarth) {
    earthly(entry, tiles);
    group.add(tiles.group);
  } else {
    group.add(placed(entry, tiles.group));
  }
  group.updateMatrixWorld(true);
  let camera = null;
  let ready = false;
  const late = setTimeout(() => { if (!ready) changed('slow'); }, PATIENCE_MS);
  tiles.addEventListener('load-model', ({scene}) => {
    dress(scene);
    if (onEarth) settle(entry, tiles, scene);
    ready = true;
    clearTimeout(late);
    changed('ready');
  });
  tiles.addEventListener('needs-update', () => changed());
  tiles.addEventListener('tiles-load-end', () => changed());
  tiles.addEventListener('load-error', ({error, tile}) => failed(error, Boolean(tile) && ready));
  return {
    group,
    content: tiles.group,
    update(looking, width, height) {
      if (camera !== looking) {
        if (camera) tiles.deleteCamera(camera);
        camera = looking;
        tiles.setCamera(camera);
      }
      tiles.setResolution(camera, width, height);
      group.updateMatrixWorld(true);
      tiles.update();
    },
    busy: () => tiles.isLoading,
    told({point, object}) {
      if (!onEarth) return {};
      const at = tiles.ellipsoid.getPositionToCartographic(earthCentred(tiles, point, object), {});
      return {lon: deg(at.lon), lat: deg(at.lat), ellipsoidal: at.height};
    },
    dispose() {
      clearTimeout(late);
      tiles.dispose();
    },
  };
}

/**
 * Open a model. `changed(state)` asks to be drawn anew ('ready' once there is something to see, 'slow' when it takes long), `failed(fault, partly)`
 * says that it, or a part of it, did not come. `busy()` says whether more is on its way, `told(hit)` what only it knows of a point that a ray met in
 * the three.js world: degrees and metres above the ellipsoid of a tileset that stands on the earth.
 */
export function openModel(entry, listeners) {
  return entry.kind === 'model' ? single(entry, listeners) : tiled(entry, listeners);
}

/** Sun and sky for a three.js scene whose frame is east, north, up. */
export function lights() {
  const sun = new three.DirectionalLight(0xffffff, 1);
  const sky = new three.HemisphereLight(0xffffff, 0xb8b8b0, 1);
  sky.position.set(0, 0, 1);
  return {
    nodes: [sun, sun.target, sky],
    shine({towards, direct, sky: share}) {
      sun.position.set(...towards).multiplyScalar(10000);
      sun.intensity = 2.4 * direct;
      sky.intensity = 1.7 * share;
    },
  };
}
