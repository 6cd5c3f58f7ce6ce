// A form being filled in: kept and asked again after each change, so that linkage shows at once and nothing typed is lost.
// What appears, what is required and what may be chosen is decided by the server alone.
const form = document.querySelector('form[data-form]');
const kept = document.querySelector('[data-kept]');
let timer = 0;
let sending = false;
let again = false;
let dirty = false;
let held = null;

function say(words) {
  if (kept) kept.textContent = words;
}

function mark() {
  form.toggleAttribute('data-waiting', dirty || sending);
}

function same(one, other) {
  const controls = 'input, select, textarea';
  return one.textContent === other.textContent && one.querySelectorAll(controls).length === other.querySelectorAll(controls).length;
}

// Children of `old` become those of `fresh`, matched by a data attribute. What is being typed in, and what did not change, is left alone.
function settleList(old, fresh, name, inside) {
  const before = new Map([...old.children].map((node) => [node.dataset[name], node]));
  const wanted = [...fresh.children];
  const keys = new Set(wanted.map((node) => node.dataset[name]));
  for (const [key, node] of before) if (!keys.has(key)) node.remove();
  wanted.forEach((node, at) => {
    const known = before.get(node.dataset[name]);
    if (known && inside) inside(known, node);
    else if (known && !known.contains(document.activeElement) && !same(known, node)) known.replaceWith(document.adoptNode(node));
    else if (!known) old.insertBefore(document.adoptNode(node), old.children[at] || null);
  });
}

function settle(text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('[data-form-items]');
  const old = form.querySelector('[data-form-items]');
  if (!fresh || !old) return;
  settleList(old, fresh, 'section', (known, node) => {
    const count = document.querySelector(`[data-filled="${known.dataset.section}"]`);
    if (count) count.textContent = node.dataset.said;
    settleList(known.querySelector('.form-grid'), node.querySelector('.form-grid'), 'item');
  });
}

async function keep() {
  if (sending) {
    again = true;
    return;
  }
  sending = true;
  dirty = false;
  mark();
  try {
    const response = await fetch(form.action, {method: 'POST', body: new FormData(form), headers: {'X-Fragment': 'form'}});
    if (response.ok) {
      form.elements.seen.value = response.headers.get('X-Form-Version') || form.elements.seen.value;
      const text = await response.text();
      if (!dirty) settle(text);
      const now = new Date();
      say(`${String(now.getHours()).padStart(2, '0')}:${String(now.getMinutes()).padStart(2, '0')} 已自动存草稿`);
    } else if (response.status === 409) {
      say('这份表单在别处改过，请点“存草稿”核对。');
    } else {
      say('没有存上，请点“存草稿”。');
      dirty = true;
    }
  } catch (fault) {
    say('网络断了，还没有存上。恢复后请点“存草稿”。');
    dirty = true;
  }
  sending = false;
  mark();
  if (held) {
    const {by} = held;
    held = null;
    form.requestSubmit(by);
  } else if (again) {
    again = false;
    keep();
  }
}

function soon(wait) {
  dirty = true;
  mark();
  window.clearTimeout(timer);
  timer = window.setTimeout(keep, wait);
}

if (form) {
  form.addEventListener('input', () => { dirty = true; mark(); });
  form.addEventListener('change', () => soon(150));
  form.addEventListener('submit', (event) => {
    window.clearTimeout(timer);
    if (sending) {
      // what is on its way makes a newer version: sent beside it, the form would be told that it was changed elsewhere
      event.preventDefault();
      held = {by: event.submitter};
    } else {
      dirty = false;
    }
  });
  window.addEventListener('beforeunload', (event) => {
    if (dirty || sending) event.preventDefault();
  });
}

for (const once of document.querySelectorAll('form[data-once]')) {
  once.addEventListener('submit', (event) => {
    if (once.dataset.sent) event.preventDefault();
    once.dataset.sent = '1';
  });
}

const told = document.querySelector('[data-focus]');
if (told) told.focus();
