// Copies a link for somebody: a button marked data-copy names the field that holds it.
import {say} from './announce.js';

async function copy(button) {
  const field = document.getElementById(button.getAttribute('data-copy'));
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch (error) {
    document.execCommand('copy');
  }
  button.querySelector('[data-words]').textContent = '已复制';
  say('链接已复制');
}

export function startCopying() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest && event.target.closest('[data-copy]');
    if (button) copy(button);
  });
}
