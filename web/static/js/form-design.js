// Items of a draft dragged to another place. The buttons beside each do the same without a mouse and without script.
let held = '';

function cookie(name) {
  const found = document.cookie.split('; ').find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.split('=')[1]) : '';
}

async function place(section, key, at) {
  const body = new FormData();
  body.set('key', key);
  body.set('section', section.dataset.dropSection);
  body.set('at', String(at));
  body.set('seen', section.dataset.seen);
  const token = document.querySelector('input[name="csrfmiddlewaretoken"]');
  body.set('csrfmiddlewaretoken', token ? token.value : cookie('csrftoken'));
  await fetch(section.dataset.href, {method: 'POST', body}).catch(() => null);
  window.location.reload();
}

document.addEventListener('dragstart', (event) => {
  const item = event.target.closest && event.target.closest('[data-drag]');
  if (!item) return;
  held = item.dataset.drag;
  event.dataTransfer.setData('text/plain', held);
  event.dataTransfer.effectAllowed = 'move';
});
document.addEventListener('dragover', (event) => {
  if (held && event.target.closest && event.target.closest('[data-drop-section]')) event.preventDefault();
});
document.addEventListener('drop', (event) => {
  const section = event.target.closest && event.target.closest('[data-drop-section]');
  if (!held || !section) return;
  event.preventDefault();
  const others = [...section.querySelectorAll('[data-drag]')].filter((one) => one.dataset.drag !== held);
  const before = others.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.top + box.height / 2 < event.clientY;
  });
  place(section, held, before.length);
  held = '';
});
