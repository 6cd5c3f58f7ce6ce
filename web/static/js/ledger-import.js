// A sheet on its way into a ledger: progress is asked for while work is under way; rows are saved without leaving the page.
import {say} from './announce.js';
import {followProgress} from './progress.js';

function put(found, form) {
  const row = found.querySelector('.import-row');
  const here = form.closest('.import-row');
  const next = document.importNode(row, true);
  here.replaceWith(next);
  const said = next.querySelector('[role="alert"], [role="status"]');
  if (said) say(said.textContent);
  const first = next.querySelector('[aria-invalid="true"]');
  if (first) first.focus();
  else focusAfter(next);
  const tally = found.getElementById('import-tally');
  if (!tally) return;
  document.getElementById('import-tally').replaceWith(document.importNode(tally, true));
  // the button that writes is not there as long as nothing waits
  if (!document.getElementById('write') && tally.dataset.waiting !== '0') window.location.reload();
}

function focusAfter(row) {
  const next = row.nextElementSibling;
  const field = next && next.querySelector('[aria-invalid="true"], input:not([type="hidden"]), select');
  if (field) field.focus();
}

async function save(event) {
  const form = event.target;
  if (!form.closest('#import-rows')) return;
  event.preventDefault();
  if (form.getAttribute('aria-busy') === 'true') return;
  const data = new FormData(form, event.submitter);
  form.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(form.action, {method: 'POST', body: data, headers: {'X-Fragment': 'row'}});
    const found = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (!found.querySelector('.import-row')) throw new Error(String(answer.status));
    put(found, form);
    count(found);
  } catch (fault) {
    form.setAttribute('aria-busy', 'false');
    say('没有保存成功，请检查网络后再试。填的内容还在。');
    let said = form.querySelector('.notice.bad');
    if (!said) {
      said = document.createElement('p');
      said.className = 'notice bad';
      said.setAttribute('role', 'alert');
      form.prepend(said);
    }
    said.textContent = '没有保存成功，请检查网络后再试。填的内容还在。';
  }
}

function count(found) {
  const tally = found.getElementById('import-tally');
  if (!tally) return;
  const now = {'write-count': tally.dataset.waiting, 'mend-count': tally.dataset.refused};
  Object.entries(now).forEach(([id, said]) => {
    const shown = document.getElementById(id);
    if (shown) shown.textContent = said;
  });
}

if (document.querySelector('#import-progress[data-open]')) followProgress('import-progress', 2000);
document.addEventListener('submit', save);
