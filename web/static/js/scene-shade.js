// Shadows that white models cast on level ground, drawn by the graphics card: for each wall the ground it keeps the sun from, a parallelogram. Outside
// the footprints these are the whole shadow: who steps from a shaded point towards the sun to below the roof, and began outside, goes through a wall.
import {mercatorOf, ringsMeet, unitsAt} from './scene-sight.js';
import {lightOf} from './scene-sun.js';
import {blocksOf} from './scene-white.js';
import {dark} from './scheme.js';

export const MOST_M = 1000; // no shadow is drawn longer
const SLICE_MS = 6; // of work between two frames
const FLOATS = 5; // of a side: its ends, its height
const rad = (degrees) => (degrees * Math.PI) / 180;

const VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform vec2 u_cast;
uniform float u_highest;
in vec4 a_side;
in float a_top;
void main() {
  vec2 at = (gl_VertexID & 1) == 0 ? a_side.xy : a_side.zw;
  if (gl_VertexID > 1) at += u_cast * min(a_top, u_highest);
  gl_Position = u_matrix * vec4(at, 0.0, 1.0);
}`;
// All lie at one depth, behind all that stands: where they overlap, the first one darkens the ground and no other.
const FRAGMENT = `#version 300 es
precision highp float;
uniform float u_dark;
uniform float u_depth;
out vec4 colour;
void main() {
  colour = vec4(0.0, 0.0, 0.0, u_dark);
  gl_FragDepth = u_depth;
}`;

/** How far a metre of height throws its shadow, in metres to the east and to the north; nothing while the sun is down. */
export function castOf({azimuth, altitude}) {
  if (altitude <= 0) return null;
  const length = 1 / Math.tan(rad(altitude));
  return [-Math.sin(rad(azimuth)) * length, -Math.cos(rad(azimuth)) * length];
}

/** The sides of upright blocks as numbers for the card: ends in Mercator units from an origin, metres of height. They begin after `numbers`. */
export function sidesOf(blocks, [x, y], numbers = []) {
  blocks.forEach(({rings, top}) => rings.forEach((ring) => {
    for (let at = 1; at < ring.length; at += 1) numbers.push(ring[at - 1][0] - x, ring[at - 1][1] - y, ring[at][0] - x, ring[at][1] - y, top);
  }));
  return numbers;
}

function programOf(gl) {
  const program = gl.createProgram();
  [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]].forEach(([kind, text]) => {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  });
  gl.linkProgram(program);
  return program;
}

/** A custom layer of MapLibre under all that stands. `changed` is called when other buildings cast the shadows. */
export class ShadeLayer {
  constructor(changed = () => {}) {
    Object.assign(this, {id: 'shade', type: 'custom', renderingMode: '3d', changed});
    this.sides = {numbers: new Float32Array(0), origin: [0, 0], tallest: 0};
    this.footprints = [];
    this.sun = null;
    this.run = 0;
    this.stale = true;
  }

  onAdd(map, gl) {
    this.map = map;
    this.program = programOf(gl);
    this.spots = Object.fromEntries(['matrix', 'cast', 'highest', 'dark', 'depth'].map((name) => [name, gl.getUniformLocation(this.program, `u_${name}`)]));
    this.buffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    [['a_side', 4, 0], ['a_top', 1, 16]].forEach(([name, size, offset]) => {
      const spot = gl.getAttribLocation(this.program, name);
      gl.enableVertexAttribArray(spot);
      gl.vertexAttribPointer(spot, size, gl.FLOAT, false, FLOATS * 4, offset);
      gl.vertexAttribDivisor(spot, 1);
    });
    gl.bindVertexArray(null);
    this.sent = null;
  }

  onRemove(map, gl) {
    gl.deleteBuffer(this.buffer);
    gl.deleteVertexArray(this.array);
    gl.deleteProgram(this.program);
    this.map = null;
    this.run += 1;
  }

  shine(sun) {
    this.sun = sun;
    if (this.map) this.map.triggerRepaint();
  }

  /** Whether the sun is so low that shadows end before they would. */
  cut() {
    const cast = this.sun && castOf(this.sun);
    return Boolean(cast) && Math.hypot(...cast) * this.sides.tallest > MOST_M;
  }

  /** Leave out the buildings for which a model stands. */
  leaveOut(footprints) {
    this.footprints = footprints.map((ring) => ring.map(mercatorOf));
    this.stale = true;
  }

  /** Take the white models in sight, some of them between two frames. */
  async follow() {
    if (!this.map || !this.stale) return;
    this.stale = false;
    this.run += 1;
    const {map, run} = this;
    const origin = mercatorOf(map.getCenter().toArray());
    const numbers = [];
    let tallest = 0;
    let until = performance.now() + SLICE_MS;
    const found = map.getSource('buildings') ? map.querySourceFeatures('buildings', {sourceLayer: 'buildings'}) : [];
    for (const feature of found) {
      const blocks = blocksOf(feature).filter(({rings}) => !this.footprints.some((ring) => ringsMeet(rings[0], ring)));
      sidesOf(blocks, origin, numbers);
      tallest = blocks.reduce((most, {top}) => Math.max(most, top), tallest);
      if (performance.now() > until) {
        await new Promise((resolve) => { setTimeout(resolve); });
        if (run !== this.run) return;
        until = performance.now() + SLICE_MS;
      }
    }
    this.take({numbers: new Float32Array(numbers), origin, tallest});
    this.changed();
  }

  take(sides) {
    this.sides = sides;
    this.sent = null;
    if (this.map) this.map.triggerRepaint();
  }

  render(gl, {defaultProjectionData: {mainMatrix: m}}) {
    const cast = this.sun && castOf(this.sun);
    const {numbers, origin: [x, y]} = this.sides;
    if (!cast || !numbers.length) return;
    const [east, north] = unitsAt(this.map.getCenter().lat);
    const moved = [0, 1, 2, 3].map((k) => m[k] * x + m[4 + k] * y + m[12 + k]);
    gl.useProgram(this.program);
    gl.bindVertexArray(this.array);
    if (this.sent !== numbers) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, numbers, gl.STATIC_DRAW);
      this.sent = numbers;
    }
    gl.uniformMatrix4fv(this.spots.matrix, false, Float32Array.from([...Array.from(m).slice(0, 12), ...moved]));
    gl.uniform2f(this.spots.cast, cast[0] * east, -cast[1] * north);
    gl.uniform1f(this.spots.highest, MOST_M / Math.hypot(...cast));
    gl.uniform1f(this.spots.dark, (dark.matches ? 0.5 : 0.3) * (0.5 + 0.5 * lightOf(this.sun).direct));
    gl.uniform1f(this.spots.depth, gl.getParameter(gl.DEPTH_RANGE)[1]); // below the ground that was drawn, behind all that stands
    gl.depthFunc(gl.LESS);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, numbers.length / FLOATS);
    gl.bindVertexArray(null);
  }
}
