// The list of all places and one place in full: choices apply at once, distances from where one is.
import {untickSiblings} from './choices.js';
import {startLocate} from './location.js';
import {paintSaved} from './favourites.js';

startLocate((url) => window.location.assign(url));

document.addEventListener('change', (event) => {
  const input = event.target;
  if (!input.hasAttribute('data-auto')) return;
  untickSiblings(input);
  input.form.submit();
});

document.addEventListener('htmx:afterSwap', () => paintSaved(document));
