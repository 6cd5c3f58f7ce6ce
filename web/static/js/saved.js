// Favourites: this device names the places, the server describes them and forgets.
import {savedIds, paintSaved, onSavedChange} from './favourites.js';

const holder = document.getElementById('saved');
const none = document.getElementById('saved-none');

async function show() {
  const ids = savedIds();
  none.hidden = ids.length > 0;
  const old = holder.querySelector('.saved-rows');
  if (!ids.length) {
    if (old) old.remove();
    return;
  }
  let html;
  try {
    const response = await fetch(`/saved?ids=${ids.join(',')}`, {credentials: 'same-origin'});
    if (!response.ok) throw new Error(String(response.status));
    html = await response.text();
  } catch (error) {
    html = '<p class="notice bad" role="alert">收藏没能取回来，可能是网络断了。您的收藏还在，请稍后再打开这一页。</p>';
  }
  const rows = document.createElement('div');
  rows.className = 'saved-rows';
  rows.innerHTML = html;
  if (old) old.replaceWith(rows);
  else holder.append(rows);
  paintSaved(rows);
}

onSavedChange(() => { none.hidden = savedIds().length > 0; });
show();
