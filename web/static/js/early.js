// Runs before the first paint, so that nothing jumps: says whether there is script, modules and a map.
(function () {
  var root = document.documentElement;
  if (!('noModule' in document.createElement('script'))) return;
  root.classList.add('js');
  // The app has a way back of its own: ours only where a page was opened first.
  if (root.hasAttribute('data-native-bar') && window.history.length > 1) root.classList.add('native-back');
  try {
    var stored = root.getAttribute('data-map') === 'off' ? null : document.createElement('canvas').getContext('webgl2');
    if (stored) {
      root.classList.add('map-ready');
      var release = stored.getExtension('WEBGL_lose_context');
      if (release) release.loseContext();
    }
  } catch (error) {
    // A browser that refuses a canvas gets the list, which is complete.
  }
})();
