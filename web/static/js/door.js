// The first door: joins its parts. Modules import downwards only (announce, answer, list, map), so that names can carry hashes.
import {go, hasMap} from './answer.js';
import {startList} from './list.js';
import {startSearch} from './search.js';
import {startSheet} from './sheet.js';
import {startLocate} from './location.js';

window.addEventListener('popstate', () => go(window.location.pathname + window.location.search, {push: false}));

startList();
startSearch();
startSheet(document.querySelector('.door'));
startLocate(go);
if (hasMap()) {
  import('./map.js')
    .then((module) => module.startMap())
    .then(() => { import('./scene-flat.js').then(({followTwins}) => followTwins(document.getElementById('map').quantu)).catch(() => {}); }) // the map goes on flat
    .catch(() => document.documentElement.classList.remove('map-ready')); // the list goes on alone
}
