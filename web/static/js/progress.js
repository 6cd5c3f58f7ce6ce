// The progress of long work: asked for every few seconds, said politely; when the work ends the page is loaded anew.

/** Follow the piece of the page with this id as long as it says that the work is open. */
export function followProgress(id, every) {
  async function refresh() {
    let next;
    try {
      const answer = await fetch(window.location.pathname, {headers: {'X-Fragment': 'progress'}});
      if (!answer.ok) throw new Error(String(answer.status));
      next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(id);
    } catch (fault) {
      setTimeout(refresh, 2 * every);
      return;
    }
    if (!next || !('open' in next.dataset)) {
      window.location.reload();
      return;
    }
    document.getElementById(id).replaceWith(document.importNode(next, true));
    setTimeout(refresh, every);
  }
  setTimeout(refresh, every);
}
