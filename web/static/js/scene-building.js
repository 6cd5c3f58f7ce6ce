// What a building is that was clicked: its name, height, doors and the institutions in it, asked of the server and shown beside the map.
import {say} from './announce.js';

export class Naming {
  constructor(holder) {
    this.holder = holder;
    this.asked = null;
    holder.addEventListener('click', ({target}) => {
      const link = target.closest('[data-keeps-view]');
      if (link) link.hash = window.location.hash; // back from there, the map stands as it was left
    });
  }

  /** Tell of what was seen; of the ground and of the sky there is nothing to tell. */
  async tell(seen) {
    this.close();
    if (!seen || seen.on === 'ground') return;
    const own = new AbortController();
    this.asked = own;
    const query = new URLSearchParams({lon: seen.within[0].toFixed(7), lat: seen.within[1].toFixed(7)});
    if (seen.on === 'model' && seen.entry.kind === 'model' && !seen.entry.draft) query.set('scene', seen.entry.key);
    try {
      const answer = await fetch(`${this.holder.dataset.building}?${query}`, {signal: own.signal});
      if (!answer.ok) throw new Error(String(answer.status));
      this.show(await answer.text());
    } catch (fault) {
      if (fault.name === 'AbortError') return;
      this.show('');
      this.holder.append(Object.assign(document.createElement('p'), {textContent: '没能取到这座楼的信息，请再点一次。'}));
      say('没能取到这座楼的信息，请再点一次。');
    }
  }

  show(html) {
    this.holder.innerHTML = html;
    this.holder.hidden = false;
    this.holder.scrollTop = 0;
    const title = this.holder.querySelector('h2');
    if (title) say(title.textContent);
  }

  close() {
    if (this.asked) this.asked.abort();
    this.asked = null;
    this.holder.hidden = true;
    this.holder.replaceChildren();
  }
}
