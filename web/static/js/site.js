// What every page shares: reading aloud, copying a link, the count of favourites, menus that close.
import {startCopying} from './copying.js';
import {savedIds, onSavedChange} from './favourites.js';
import {startReading} from './reading.js';
import './uses.js';

function showSavedCount() {
  const count = savedIds().length;
  document.querySelectorAll('[data-saved-count]').forEach((node) => {
    node.textContent = count ? String(count) : '';
  });
}

/** A menu made of <details> closes on Escape and on a click elsewhere, and gives the focus back. */
function closeMenus(event) {
  document.querySelectorAll('details[data-menu][open]').forEach((menu) => {
    if (event.type === 'keydown') {
      if (event.key !== 'Escape') return;
      menu.open = false;
      menu.querySelector('summary').focus();
    } else if (!menu.contains(event.target)) {
      menu.open = false;
    }
  });
}

document.addEventListener('keydown', closeMenus);
document.addEventListener('click', closeMenus);
onSavedChange(showSavedCount);
showSavedCount();
startCopying();
startReading();
