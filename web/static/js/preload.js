// A preload: the area on the map, and the progress of a run.
import {followProgress} from './progress.js';

const holder = document.querySelector('[data-map]');

if (holder && document.documentElement.classList.contains('map-ready')) {
  import('./desk-map.js').then(({showShape}) => showShape(holder, JSON.parse(document.getElementById(holder.dataset.shape).textContent)));
}
if (document.querySelector('#preload-progress[data-open]')) followProgress('preload-progress', 1000);
