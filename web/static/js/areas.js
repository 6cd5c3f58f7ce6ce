// Choropleths: a region lights up in the map and the ranking at once, another opens without leaving the full screen, all is renewed.
const EVERY_MS = 600000;
const main = document.getElementById('main');

function light(code) {
  main.querySelectorAll('.areas-row').forEach((row) => row.classList.toggle('lit', row.dataset.code === code));
  main.querySelectorAll('.areas-map').forEach((map) => {
    const found = code && map.querySelector(`.areas-link[data-code="${code}"] .area`);
    map.querySelector('.areas-lit').setAttribute('d', found ? found.getAttribute('d') : '');
  });
}

const codeOf = (event) => {
  const found = event.target.closest ? event.target.closest('.areas-link, .areas-row') : null;
  return found ? found.dataset.code : '';
};
['mouseover', 'focusin'].forEach((kind) => main.addEventListener(kind, (event) => light(codeOf(event))));
['mouseleave', 'focusout'].forEach((kind) => main.addEventListener(kind, () => light('')));

async function open(address, {push, focus}) {
  const found = await fetch(address, {headers: {Accept: 'text/html'}}).catch(() => null);
  if (!found || !found.ok || found.redirected) {
    if (focus) window.location.href = address; // the server says what is wrong, or the browser that there is no network
    return;
  }
  const page = new DOMParser().parseFromString(await found.text(), 'text/html');
  const rank = main.querySelector('.areas-rank');
  const kept = rank && !focus ? rank.scrollTop : 0;
  main.replaceChildren(...page.getElementById('main').childNodes);
  document.querySelector('[data-as-of]').textContent = page.querySelector('[data-as-of]').textContent;
  document.title = page.title;
  if (push) window.history.pushState({}, '', address);
  if (focus) {
    window.scrollTo(0, 0);
    main.querySelector('h1').focus({preventScroll: true});
  } else if (main.querySelector('.areas-rank')) main.querySelector('.areas-rank').scrollTop = kept;
}

main.addEventListener('click', (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  if (event.target.closest('[data-print]')) window.print();
  const link = event.target.closest('a[href]');
  if (!link || link.hasAttribute('download')) return;
  const address = new URL(link.getAttribute('href'), window.location.href);
  if (address.hash || !/^\/watch\/areas\/[^/]+$/.test(address.pathname)) return;
  event.preventDefault();
  open(address.href, {push: true, focus: true});
});
window.addEventListener('popstate', () => open(window.location.href, {push: false, focus: true}));

document.addEventListener('click', (event) => {
  main.querySelectorAll('.areas-menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
main.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && event.target.closest('.areas-menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});

document.querySelector('[data-full-screen]').addEventListener('click', () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen();
});

// renewed unless somebody is at it: a field or a menu is open
window.setInterval(() => {
  if (!document.hidden && !main.querySelector('details[open]')) open(window.location.href, {push: false, focus: false});
}, EVERY_MS);
