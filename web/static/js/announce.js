// Says a result to those who listen to the page instead of looking at it.

export function say(text) {
  const live = document.getElementById('announce');
  if (!live) return;
  live.textContent = ''; // the same words twice are said twice
  window.setTimeout(() => { live.textContent = text; }, 60);
}
