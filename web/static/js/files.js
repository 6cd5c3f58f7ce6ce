// Files of an owner: dragged or chosen files are sent one by one with their progress, and the panel is put anew; all of it works
// as plain forms too.
const FRAGMENT = {'X-Fragment': 'files'};
const AGAIN = '没有传上去，可能是网络断了。请再试一次。';

function sendFile(form, file, onProgress) {
  return new Promise((resolve) => {
    const body = new FormData(form);
    body.set('file', file, file.name);
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.setRequestHeader('X-Fragment', 'files');
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener('load', () => resolve({ok: request.status < 300, text: request.responseText}));
    request.addEventListener('error', () => resolve({ok: false, text: ''}));
    request.addEventListener('timeout', () => resolve({ok: false, text: ''}));
    request.send(body);
  });
}

function messageIn(text) {
  try {
    const said = JSON.parse(text);
    return said.message || said.detail || AGAIN;
  } catch (fault) {
    return AGAIN;
  }
}

function hrefIn(text) {
  try {
    return JSON.parse(text).href || '';
  } catch (fault) {
    return '';
  }
}

function element(tag, words, className) {
  const made = document.createElement(tag);
  if (words) made.textContent = words;
  if (className) made.className = className;
  return made;
}

// The panel may be put anew while files of another purpose are still on their way: forms are found again by their field.
function formOf(id) {
  const field = document.getElementById(id);
  return field && field.closest('form');
}

function putPanel(old, text) {
  const panel = new DOMParser().parseFromString(text, 'text/html').querySelector('[data-files]');
  if (!panel || !old) return;
  const made = document.importNode(panel, true);
  // What is under way, or went wrong, stays beside its name.
  const lines = [...old.querySelectorAll('form[data-upload]')].map((form) => [
    form.querySelector('input[type="file"]').id,
    [...form.querySelectorAll('.upload-item')],
  ]);
  old.replaceWith(made);
  for (const [id, items] of lines) {
    const form = formOf(id);
    if (form) form.querySelector('[data-upload-list]').append(...items);
  }
  const said = made.querySelector('.files-said p');
  const heard = document.getElementById('announce');
  if (said && heard) heard.textContent = said.textContent;
}

function lineFor(form, file) {
  const item = element('li', '', 'upload-item');
  const bar = element('progress');
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute('aria-label', `${file.name} 的上传进度`);
  item.append(element('span', file.name, 'file-name'), bar);
  form.querySelector('[data-upload-list]').append(item);
  return {item, bar};
}

async function sendOne(form, id, file, line) {
  const answer = await sendFile(form, file, (share) => {
    if (share < 1) line.bar.value = share;
    else line.bar.removeAttribute('value');
  });
  if (answer.ok) {
    line.item.remove();
    return answer.text;
  }
  line.bar.remove();
  const again = element('button', '重试', 'button');
  again.type = 'button';
  again.addEventListener('click', () => {
    line.item.remove();
    sendAll(id, [file]);
  });
  const drop = element('button', '不传了', 'button quiet');
  drop.type = 'button';
  drop.addEventListener('click', () => line.item.remove());
  line.item.append(again, drop, element('p', messageIn(answer.text), 'form-error'));
  return '';
}

async function sendAll(id, files) {
  const form = formOf(id);
  if (!form) return;
  const lines = files.map((file) => lineFor(form, file));
  let text = '';
  for (let at = 0; at < files.length; at += 1) {
    // One after the other: the order stays, and a slow line is not shared by twenty.
    const answer = await sendOne(form, id, files[at], lines[at]);
    if (answer) text = answer;
  }
  const now = formOf(id);
  if (now) now.querySelector('input[type="file"]').value = '';
  if (!text) return;
  const href = hrefIn(text);
  if (href) window.location.assign(href);
  else putPanel(now && now.closest('[data-files]'), text);
}

document.addEventListener('change', (event) => {
  const form = event.target.closest('form[data-upload]');
  if (form && event.target.type === 'file' && event.target.files.length) sendAll(event.target.id, [...event.target.files]);
});

for (const name of ['dragenter', 'dragover']) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest && event.target.closest('[data-drop]');
    if (!zone) return;
    event.preventDefault();
    zone.dataset.over = '';
  });
}
for (const name of ['dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest && event.target.closest('[data-drop]');
    if (!zone) return;
    delete zone.dataset.over;
    if (name !== 'drop' || !event.dataTransfer.files.length) return;
    event.preventDefault();
    sendAll(zone.querySelector('input[type="file"]').id, [...event.dataTransfer.files]);
  });
}

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('form[data-files-act]');
  const panel = form && form.closest('[data-files]');
  if (!panel) return;
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  let answer;
  let text = '';
  try {
    answer = await fetch(form.action, {method: 'POST', body: new FormData(form), headers: FRAGMENT});
    text = await answer.text();
  } catch (fault) {
    answer = {ok: false};
  }
  if (answer.ok) {
    putPanel(panel, text);
    return;
  }
  button.disabled = false;
  const line = panel.querySelector('[data-files-fault]');
  line.textContent = messageIn(text);
  line.hidden = false;
});
