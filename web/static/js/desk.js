// Every page of the desk: the key / goes to the search of the page, or else to that of the desk.
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]')) return;
  event.preventDefault();
  [...document.querySelectorAll('[data-slash]')].pop().focus();
});
