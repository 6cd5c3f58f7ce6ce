// The scale bar of a map: a round number of metres, as wide as they are in its middle.
const ROUND = [1, 2, 5];

/** Return the metres of one pixel in the middle of a map. */
export function metresAPixel(map) {
  return (40075016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
}

/** Let a bar and its words follow a map; the bar is at least so many pixels wide. */
export function followScale(map, bar, words, least = 56) {
  const draw = () => {
    const pixel = metresAPixel(map);
    let metres = 1;
    for (let at = 0; metres / pixel < least; at += 1) metres = ROUND[at % 3] * 10 ** Math.floor(at / 3);
    bar.style.width = `${Math.round(metres / pixel)}px`;
    words.textContent = metres < 1000 ? `${metres} 米` : `${metres / 1000} 公里`;
  };
  map.on('move', draw);
  draw();
}
