// Drawing on the planner's table: snapping, a line or ring point by point, the corners of an area as buttons that mouse and keys move.
import {maplibre} from './desk-map.js';

const METRE = 1 / 111195;
const MOST_CORNERS = 260;

/** Every stretch of the lines of some GeoJSON features, as [[lon, lat], [lon, lat]]. */
function stretchesOf(features) {
  const found = [];
  const walk = (coordinates) => {
    if (!coordinates.length) return;
    if (typeof coordinates[0][0] === 'number') {
      for (let at = 1; at < coordinates.length; at += 1) found.push([coordinates[at - 1], coordinates[at]]);
    } else coordinates.forEach(walk);
  };
  const open = (geometry) => {
    if (!geometry) return;
    if (geometry.type === 'GeometryCollection') geometry.geometries.forEach(open);
    else if (geometry.type !== 'Point') walk(geometry.coordinates);
  };
  features.forEach((feature) => open(feature.geometry));
  return found;
}

/** What points are drawn to: the nearest corner within ten pixels, else the nearest spot of an edge. */
export class Snapping {
  constructor(map) {
    this.map = map;
    this.on = true;
    this.layers = new Map();
  }

  /** Keep the lines of one layer: neighbours, roads and boundaries. */
  keep(name, features) {
    this.layers.set(name, stretchesOf(features));
  }

  at(point) {
    if (!this.on) return point;
    const here = this.map.project(point);
    const corner = this.map.unproject([here.x + 12, here.y + 12]);
    const [reachLon, reachLat] = [Math.abs(corner.lng - point[0]), Math.abs(corner.lat - point[1])];
    let best = null;
    let least = 10;
    let edge = null;
    let nearest = 8;
    this.layers.forEach((stretches) => stretches.forEach(([from, to]) => {
      if (Math.min(from[0], to[0]) - reachLon > point[0] || Math.max(from[0], to[0]) + reachLon < point[0]) return;
      if (Math.min(from[1], to[1]) - reachLat > point[1] || Math.max(from[1], to[1]) + reachLat < point[1]) return;
      const [a, b] = [this.map.project(from), this.map.project(to)];
      [[a, from], [b, to]].forEach(([end, position]) => {
        const away = Math.hypot(end.x - here.x, end.y - here.y);
        if (away < least) { least = away; best = position; }
      });
      const length = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
      if (!length) return;
      const share = Math.max(0, Math.min(1, ((here.x - a.x) * (b.x - a.x) + (here.y - a.y) * (b.y - a.y)) / length));
      const away = Math.hypot(a.x + share * (b.x - a.x) - here.x, a.y + share * (b.y - a.y) - here.y);
      if (away < nearest) { nearest = away; edge = [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]; }
    }));
    return (best || edge || point).slice(0, 2);
  }
}

/** A line or a ring that somebody draws point by point; `changed(points, moving)` hears every step, `done(points)` the end. */
export class Sketch {
  constructor(map, snapping, {closes, changed, done, cancelled}) {
    Object.assign(this, {map, snapping, closes, changed, done, cancelled, points: []});
    this.click = (event) => this.add([event.lngLat.lng, event.lngLat.lat], event.originalEvent.altKey);
    this.move = (event) => this.changed(this.points, this.snapping.at([event.lngLat.lng, event.lngLat.lat]));
    this.double = (event) => { event.preventDefault(); this.finish(); };
    map.on('click', this.click);
    map.on('mousemove', this.move);
    map.on('dblclick', this.double);
    map.getCanvas().style.cursor = 'crosshair';
  }

  add(point, free = false) {
    const spot = free ? point : this.snapping.at(point);
    const last = this.points[this.points.length - 1];
    if (last && last[0] === spot[0] && last[1] === spot[1]) return;
    if (this.closes && this.points.length > 2 && this.near(spot, this.points[0])) { this.finish(); return; }
    this.points.push(spot);
    this.changed(this.points, null);
  }

  near(one, other) {
    const [a, b] = [this.map.project(one), this.map.project(other)];
    return Math.hypot(a.x - b.x, a.y - b.y) < 10;
  }

  addInTheMiddle() {
    const middle = this.map.getCenter();
    this.add([middle.lng, middle.lat]);
  }

  back() {
    this.points.pop();
    this.changed(this.points, null);
  }

  finish() {
    if (this.points.length < (this.closes ? 3 : 2)) return;
    this.stop();
    this.done(this.points);
  }

  cancel() {
    this.stop();
    this.cancelled();
  }

  stop() {
    this.map.off('click', this.click);
    this.map.off('mousemove', this.move);
    this.map.off('dblclick', this.double);
    this.map.getCanvas().style.cursor = '';
  }
}

/** The corners of an area or a line as buttons on the map; `changed(geometry, settled)` hears every move and, settled, its end. */
export class Corners {
  constructor(map, snapping, geometry, changed) {
    Object.assign(this, {map, snapping, changed, markers: [], timer: 0});
    this.open = geometry.type.endsWith('LineString');
    const parts = ['Polygon', 'LineString'].includes(geometry.type) ? [geometry.coordinates] : geometry.coordinates;
    const flat = (points) => points.map((point) => point.slice(0, 2));
    this.rings = parts.map((part) => (this.open ? [flat(part)] : part.map((ring) => flat(ring.slice(0, -1)))));
    this.drawn = () => this.draw();
    map.on('moveend', this.drawn);
    this.draw();
  }

  get geometry() {
    if (this.open) return {type: 'MultiLineString', coordinates: this.rings.map(([line]) => line)};
    return {type: 'MultiPolygon', coordinates: this.rings.map((rings) => rings.map((ring) => [...ring, ring[0]]))};
  }

  /** Draw the corners in sight, and between far ones a smaller button that adds one. Returns whether there were too many. */
  draw(focus = null) {
    this.clear();
    const bounds = this.map.getBounds();
    const seen = [];
    this.rings.forEach((rings, part) => rings.forEach((ring, at) => ring.forEach((point, corner) => {
      if (bounds.contains(point)) seen.push([part, at, corner]);
    })));
    if (seen.length > MOST_CORNERS) return true;
    seen.forEach(([part, at, corner]) => {
      const ring = this.rings[part][at];
      const next = ring[(corner + 1) % ring.length];
      this.place(part, at, corner, ring[corner], false);
      if (this.open && corner + 1 === ring.length) return;
      const [a, b] = [this.map.project(ring[corner]), this.map.project(next)];
      if (Math.hypot(a.x - b.x, a.y - b.y) > 44) {
        this.place(part, at, corner + 1, [(ring[corner][0] + next[0]) / 2, (ring[corner][1] + next[1]) / 2], true);
      }
    });
    const found = focus && this.markers.find((marker) => marker.where.join() === focus.join() && !marker.middle);
    if (found) found.getElement().focus();
    return false;
  }

  place(part, at, corner, point, middle) {
    const node = document.createElement('button');
    node.type = 'button';
    node.className = middle ? 'plan-corner middle' : 'plan-corner';
    const ring = this.rings[part][at];
    node.setAttribute('aria-label', middle ? `在第 ${corner} 个顶点后面加一个` : `第 ${corner + 1} 个顶点，共 ${ring.length} 个`);
    const marker = new maplibre.Marker({element: node, draggable: true}).setLngLat(point).addTo(this.map);
    Object.assign(marker, {where: [part, at, corner], middle});
    marker.on('dragstart', () => { if (marker.middle) this.insert(marker, point); });
    marker.on('drag', (event) => this.moved(marker, event && event.originalEvent && event.originalEvent.altKey));
    marker.on('dragend', () => { this.draw(); this.changed(this.geometry, true); });
    node.addEventListener('click', (event) => event.stopPropagation());
    node.addEventListener('keydown', (event) => this.key(marker, event));
    this.markers.push(marker);
  }

  insert(marker, point) {
    const [part, at, corner] = marker.where;
    this.rings[part][at].splice(corner, 0, point);
    marker.middle = false;
  }

  moved(marker, free) {
    const [part, at, corner] = marker.where;
    const {lng, lat} = marker.getLngLat();
    const spot = free ? [lng, lat] : this.snapping.at([lng, lat]);
    marker.setLngLat(spot);
    this.rings[part][at][corner] = spot;
    this.changed(this.geometry, false);
  }

  key(marker, event) {
    const [part, at, corner] = marker.where;
    const ring = this.rings[part][at];
    const steps = {ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};
    if (marker.middle && (event.key === 'Enter' || event.key === ' ')) {
      const {lng, lat} = marker.getLngLat();
      this.insert(marker, [lng, lat]);
    } else if (!marker.middle && steps[event.key]) {
      const far = event.shiftKey ? 10 : 1;
      const [east, north] = steps[event.key];
      const [lon, lat] = ring[corner];
      ring[corner] = [lon + (east * far * METRE) / Math.cos((lat * Math.PI) / 180), lat + north * far * METRE];
    } else if (!marker.middle && (event.key === 'Delete' || event.key === 'Backspace') && ring.length > (this.open ? 2 : 3)) {
      ring.splice(corner, 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw([part, at, Math.min(corner, this.rings[part][at].length - 1)]);
    this.changed(this.geometry, false);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.changed(this.geometry, true), 700);
  }

  clear() {
    this.markers.forEach((marker) => marker.remove());
    this.markers = [];
  }

  stop() {
    window.clearTimeout(this.timer);
    this.map.off('moveend', this.drawn);
    this.clear();
  }
}
