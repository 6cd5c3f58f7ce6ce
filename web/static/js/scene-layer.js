// Placed models drawn into a map, in one depth with what the map itself draws: one three.js renderer on the map's own context.
import * as three from '../vendor/three.mjs';
import {lights, openModel} from './scene-model.js';
import {lonLatOf, mercatorOf, unitsAt} from './scene-sight.js';
import {lightOf} from './scene-sun.js';

const NOON = {azimuth: 180, altitude: 50};

/** A custom layer of MapLibre. `changed(entry, state)`: 'loading', 'ready', 'slow', 'partly' or 'failed'. */
export class SceneLayer {
  constructor(changed) {
    this.id = 'scenes';
    this.type = 'custom';
    this.renderingMode = '3d';
    this.tell = changed;
    this.open = new Map();
    this.world = new three.Scene();
    this.world.matrixWorldAutoUpdate = true;
    this.lights = lights();
    this.world.add(...this.lights.nodes);
    this.shine(NOON);
    this.camera = new three.PerspectiveCamera();
    this.camera.matrixAutoUpdate = false;
    this.camera.matrixWorldAutoUpdate = false;
    this.caster = new three.Raycaster();
  }

  onAdd(map, gl) {
    this.map = map;
    const {lng, lat} = map.getCenter();
    this.origin = mercatorOf([lng, lat]);
    this.lat = lat;
    this.units = unitsAt(lat);
    const [east, north, up] = this.units;
    this.base = new three.Matrix4().makeTranslation(this.origin[0], this.origin[1], 0).scale(new three.Vector3(east, -north, up));
    this.renderer = new three.WebGLRenderer({canvas: map.getCanvas(), context: gl});
    this.renderer.autoClear = false;
    this.open.forEach((held) => this.stand(held));
  }

  onRemove() {
    if (this.renderer) this.renderer.dispose();
    this.renderer = null;
  }

  /** Lie under the layer of a map that is named, or over all: what lies on the ground is then covered as it would be. */
  addTo(map, before) {
    if (!map.getLayer(this.id)) map.addLayer(this, before);
  }

  /** Draw these models and no others. */
  show(entries) {
    const wanted = new Set(entries.map((entry) => entry.url));
    this.open.forEach((held, url) => { if (!wanted.has(url)) this.close(url, held); });
    entries.filter((entry) => !this.open.has(entry.url)).forEach((entry) => this.begin(entry));
    this.repaint();
  }

  close(url, held) {
    this.open.delete(url);
    this.world.remove(held.model.group);
    held.model.dispose();
  }

  begin(entry) {
    const held = {entry, state: 'loading', model: null};
    const turn = (state) => {
      if (!this.open.has(entry.url)) return;
      held.state = state;
      this.tell(entry, state);
    };
    held.model = openModel(entry, {
      changed: (state) => {
        if (state && held.state !== 'partly' && state !== held.state) turn(held.state === 'failed' ? 'partly' : state);
        this.repaint();
      },
      failed: (fault, partly) => turn(partly ? 'partly' : 'failed'),
    });
    this.open.set(entry.url, held);
    this.world.add(held.model.group);
    if (this.origin) this.stand(held);
    turn('loading');
  }

  /** Put a model where its place lies from the middle that the layer was added at. */
  stand({entry, model}) {
    const [x, y] = mercatorOf([entry.lon, entry.lat]);
    const [east, north, up] = this.units;
    model.group.position.set((x - this.origin[0]) / east, -(y - this.origin[1]) / north, 0);
    model.group.scale.setScalar(unitsAt(entry.lat)[2] / up);
    model.group.updateMatrixWorld(true);
  }

  stateOf(entry) {
    const held = this.open.get(entry.url);
    return held ? held.state : '';
  }

  busy() {
    return [...this.open.values()].some(({model}) => model.busy());
  }

  shine(sun) {
    this.lights.shine(lightOf(sun));
    this.repaint();
  }

  repaint() {
    if (this.map && this.renderer) this.map.triggerRepaint();
  }

  render(gl, {defaultProjectionData, projectionMatrix}) {
    if (!this.renderer) return;
    this.look(defaultProjectionData.mainMatrix, projectionMatrix);
    const {width, height} = gl.canvas;
    this.open.forEach(({model}) => model.update(this.camera, width, height));
    this.renderer.resetState();
    this.renderer.setViewport(0, 0, width, height);
    this.renderer.render(this.world, this.camera);
  }

  /** The map's matrices, taken apart into a projection and a view in metres, both in double precision. */
  look(main, projection) {
    const {camera} = this;
    const whole = new three.Matrix4().fromArray(main).multiply(this.base);
    const lens = new three.Matrix4().fromArray(projection);
    const view = lens.clone().invert().multiply(whole);
    const scale = new three.Vector3().setFromMatrixColumn(view, 2).length();
    camera.matrixWorldInverse.copy(new three.Matrix4().makeScale(1 / scale, 1 / scale, 1 / scale).multiply(view));
    camera.matrixWorld.copy(camera.matrixWorldInverse).invert();
    camera.projectionMatrix.copy(lens.multiply(new three.Matrix4().makeScale(scale, scale, scale)).multiplyScalar(1 / scale));
    camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
  }

  /** What a ray (Mercator units) meets first: its model, where, and how far along the ray. */
  along({at, along}) {
    if (!this.origin) return null;
    const [east, north, up] = this.units;
    const from = new three.Vector3((at[0] - this.origin[0]) / east, -(at[1] - this.origin[1]) / north, at[2] / up);
    const towards = new three.Vector3(along[0] / east, -along[1] / north, along[2] / up);
    const length = towards.length();
    this.caster.set(from, towards.normalize());
    let best = null;
    this.open.forEach(({entry, model}) => {
      const [hit] = this.caster.intersectObject(model.group, true);
      if (hit && (!best || hit.distance < best.hit.distance)) best = {entry, model, hit};
    });
    if (!best) return null;
    const {x, y, z} = best.hit.point;
    const mercator = [this.origin[0] + x * east, this.origin[1] - y * north, z * up];
    const [lon, lat] = lonLatOf(mercator);
    return {t: best.hit.distance / length, entry: best.entry, mercator, height: (z * up) / unitsAt(lat)[2], lon, lat, ...best.model.told(best.hit)};
  }
}
