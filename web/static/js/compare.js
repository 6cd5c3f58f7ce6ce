// Choosing places to compare: what was ticked is remembered while this tab is open, across pages; three at most.
import {say} from './announce.js';

const KEY = 'quantu.compare';
const MOST = 3;

function chosen() {
  try {
    const ids = JSON.parse(window.sessionStorage.getItem(KEY) || '[]');
    return Array.isArray(ids) ? ids.filter((id) => /^\d{1,18}$/.test(String(id))).map(String).slice(0, MOST) : [];
  } catch (error) {
    return [];
  }
}

function keep(ids) {
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify(ids));
  } catch (error) {
    // a tab that keeps nothing still compares what is ticked on this page
  }
}

/** The ticks of this page show what was chosen, the bar says how many, and its form carries those of other pages. */
function paint() {
  const ids = chosen();
  document.querySelectorAll('[data-compare]').forEach((tick) => {
    tick.checked = ids.indexOf(tick.value) >= 0;
    tick.disabled = !tick.checked && ids.length >= MOST;
  });
  document.querySelectorAll('[data-compare-bar]').forEach((bar) => {
    bar.classList.toggle('ready', ids.length > 0);
    bar.querySelector('[data-compare-said]').textContent = ids.length ? `已选 ${ids.length} 家，最多三家。` : '勾选最多三家，放在一起比。';
    bar.querySelectorAll('input[data-elsewhere]').forEach((input) => input.remove());
    ids.filter((id) => !document.querySelector(`[data-compare="${id}"]`)).forEach((id) => {
      const input = document.createElement('input');
      input.type = 'hidden';
      input.name = 'ids';
      input.value = id;
      input.setAttribute('data-elsewhere', '');
      bar.append(input);
    });
  });
}

document.addEventListener('change', (event) => {
  const tick = event.target.closest && event.target.closest('[data-compare]');
  if (!tick) return;
  const others = chosen().filter((id) => id !== tick.value);
  const ids = tick.checked ? others.concat(tick.value).slice(0, MOST) : others;
  keep(ids);
  say(tick.checked ? `已加入比较，共 ${ids.length} 家。` : `已移出比较，还有 ${ids.length} 家。`);
  paint();
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-uncompare]');
  if (link) keep(chosen().filter((id) => id !== link.getAttribute('data-uncompare')));
  if (event.target.closest('[data-print]')) window.print();
});
document.addEventListener('htmx:afterSwap', paint);
window.addEventListener('pageshow', paint);
const asked = new URLSearchParams(window.location.search).getAll('ids').join(',').split(',').filter((id) => /^\d{1,18}$/.test(id));
if (window.location.pathname === '/places/compare') keep(asked.slice(0, MOST));
paint();
