// The list of all places and one place in full: choices apply at once, distances from where one is, copying a link.
import {say} from './announce.js';
import {startLocate} from './location.js';
import {paintSaved} from './favourites.js';

startLocate((url) => window.location.assign(url));

document.addEventListener('change', (event) => {
  const input = event.target;
  if (!input.hasAttribute('data-auto')) return;
  if (input.type === 'checkbox' && input.checked) {
    document.querySelectorAll(`input[type="checkbox"][name="${input.name}"]`).forEach((other) => {
      if (other !== input) other.checked = false;
    });
  }
  input.form.submit();
});

document.addEventListener('click', async (event) => {
  const button = event.target.closest && event.target.closest('[data-copy]');
  if (!button) return;
  const field = document.getElementById(button.getAttribute('data-copy'));
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch (error) {
    document.execCommand('copy');
  }
  button.querySelector('[data-words]').textContent = '已复制';
  say('链接已复制');
});

document.addEventListener('htmx:afterSwap', () => paintSaved(document));
