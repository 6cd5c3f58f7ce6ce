// Which models stand in what a map shows: asked for by squares, so that a map that moves a little asks nothing anew.
const SQUARE_DEG = 0.02;
const KEPT_MS = 300000;

export class Near {
  constructor(address, draft = '') {
    this.address = address;
    this.draft = draft;
    this.key = '';
    this.scenes = [];
    this.asked = null;
  }

  /** The models whose boxes touch the view. Rejects with `AbortError` when asked again meanwhile, and when the network or the server fails. */
  async of(map) {
    const bounds = map.getBounds();
    const view = {west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth()};
    await this.ask(view);
    return this.scenes.filter(({box: [west, south, east, north]}) => west <= view.east && east >= view.west && south <= view.north && north >= view.south);
  }

  async ask({west, south, east, north}) {
    const wide = (value, round) => (round(value / SQUARE_DEG) * SQUARE_DEG).toFixed(2);
    const sides = {west: wide(west, Math.floor), south: wide(south, Math.floor), east: wide(east, Math.ceil), north: wide(north, Math.ceil)};
    const query = new URLSearchParams({...sides, ...(this.draft && {draft: this.draft})}).toString();
    const key = `${query} ${Math.floor(Date.now() / KEPT_MS)}`;
    if (this.asked) this.asked.abort();
    this.asked = null;
    if (key === this.key) return;
    const own = new AbortController();
    this.asked = own;
    const found = await fetch(`${this.address}?${query}`, {signal: own.signal, headers: {Accept: 'application/json'}});
    if (!found.ok) throw new Error(String(found.status));
    const {scenes} = await found.json();
    if (this.asked !== own) throw new DOMException('asked again', 'AbortError');
    Object.assign(this, {scenes, key, asked: null});
  }
}
