// The progress of a list at work: asked for every few seconds, said politely; when the work ends the page is loaded anew.
const EVERY_MS = 3000;

async function refresh() {
  const old = document.getElementById('batch-progress');
  let next;
  try {
    const answer = await fetch(window.location.pathname, {headers: {'X-Fragment': 'progress'}});
    if (!answer.ok) throw new Error(String(answer.status));
    next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('batch-progress');
  } catch (fault) {
    setTimeout(refresh, 2 * EVERY_MS);
    return;
  }
  if (!next || !('open' in next.dataset)) {
    window.location.reload();
    return;
  }
  old.replaceWith(document.importNode(next, true));
  setTimeout(refresh, EVERY_MS);
}

setTimeout(refresh, EVERY_MS);
