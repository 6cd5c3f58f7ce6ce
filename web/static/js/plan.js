// Editions of catchments: steps dragged into their order, keys in the list of rules, an address tried while it is typed.

import {followProgress} from './progress.js';

if (document.querySelector('#validation-progress[data-open]')) followProgress('validation-progress', 1000);

const form = document.querySelector('[data-steps]');
if (form) {
  const list = form.querySelector('.plan-steps');
  let moving = null;
  list.addEventListener('dragstart', (event) => {
    moving = event.target.closest('li[draggable]');
    if (moving) moving.classList.add('moving');
  });
  list.addEventListener('dragover', (event) => {
    const over = event.target.closest('li[draggable]');
    if (!moving || !over) return;
    event.preventDefault();
    if (over === moving) return;
    const box = over.getBoundingClientRect();
    list.insertBefore(moving, event.clientY > box.top + box.height / 2 ? over.nextSibling : over);
  });
  list.addEventListener('drop', (event) => event.preventDefault());
  list.addEventListener('dragend', () => {
    if (!moving) return;
    moving.classList.remove('moving');
    moving = null;
    form.submit();
  });
}

const street = document.getElementById('street');
const committee = document.querySelector('[data-of="street"]');
if (street && committee) {
  const groups = [...committee.querySelectorAll('optgroup')];
  const narrow = () => {
    for (const group of groups) {
      const other = Boolean(street.value) && group.dataset.street !== street.value;
      group.hidden = other;
      group.disabled = other;
    }
    const chosen = committee.selectedOptions[0];
    if (chosen && chosen.parentElement.disabled) committee.value = '';
  };
  street.addEventListener('change', narrow);
  narrow();
}

const community = document.querySelector('[data-most]');
if (community) {
  const left = document.querySelector('[data-left]');
  const count = () => {
    const over = [...community.value.trim()].length - Number(community.dataset.most);
    left.textContent = over > 0 ? `多了 ${over} 个字，请用简称。` : '';
    community.toggleAttribute('aria-invalid', over > 0);
  };
  community.addEventListener('input', count);
  count();
}

const rules = document.querySelector('[data-rules]');
if (rules) {
  const boxes = [...rules.querySelectorAll('input[name="same"]')];
  const all = rules.querySelector('[data-all]');
  const said = document.querySelector('[data-count]');
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    if (said) said.textContent = chosen ? ` ${chosen} 条` : '';
    if (all) all.checked = chosen > 0 && chosen === boxes.length;
  };
  rules.addEventListener('change', (event) => {
    if (event.target === all) for (const box of boxes) box.checked = all.checked;
    count();
  });
  rules.addEventListener('keydown', (event) => {
    const row = event.target.closest('tr');
    if (!row || !event.target.matches('input[name="same"]')) return;
    const at = boxes.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && boxes[at + step]) boxes[at + step].focus();
    else if (event.key === 'Enter') row.querySelector('[data-edit]').click();
    else if (event.key === 'Delete') {
      if (!boxes.some((box) => box.checked)) event.target.checked = true;
      document.getElementById('chosen').requestSubmit();
    } else if (!step) return;
    event.preventDefault();
  });
  count();
}

const rule = document.getElementById('rule-form');
if (rule) {
  const first = rule.querySelector('[aria-invalid], textarea, select, input:not([type="hidden"])');
  if (first) first.focus();
  rule.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') rule.querySelector('[data-cancel]').click();
    if (event.key === 'Enter' && event.ctrlKey) rule.requestSubmit();
  });
}

const trying = document.querySelector('[data-try]');
if (trying) {
  let waiting = 0;
  let asked = 0;
  const show = async () => {
    const mine = ++asked;
    const answer = await fetch(trying.action || location.pathname, {
      method: 'POST',
      body: new FormData(trying),
      headers: { 'X-Fragment': 'try' },
    });
    const text = await answer.text();
    if (mine === asked) document.getElementById('tried').innerHTML = text;
  };
  trying.address.addEventListener('input', () => {
    clearTimeout(waiting);
    if (trying.address.value.trim().length > 2) waiting = setTimeout(() => show().catch(() => {}), 350);
  });
}
