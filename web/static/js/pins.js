// Pins of layers on a map: pictures of our own host, added when a style asks for them.

const WAITING = new Map();

function picture(theme, name) {
  const address = `/pins/${theme}/${name}.svg`;
  if (!WAITING.has(address)) {
    WAITING.set(address, new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Error(address));
      image.src = address;
    }));
  }
  return WAITING.get(address);
}

/** Give a map the pins `SHAPE-TONE-ICON` in the colours of a theme, as images `pin:SHAPE-TONE-ICON`; one that fails stays away. */
export async function givePins(map, names, theme) {
  const all = await Promise.all(names.map((name) => picture(theme, name).catch(() => null)));
  all.forEach((image, at) => {
    const id = `pin:${names[at]}`;
    if (image && !map.hasImage(id)) map.addImage(id, image, {pixelRatio: 2});
  });
}

/** Let a map find the pins of a style that comes from elsewhere, as it misses them. */
export function addPins(map, theme) {
  map.on('styleimagemissing', ({id}) => { if (id.startsWith('pin:')) givePins(map, [id.slice(4)], theme()); });
}
