// Names on the map in three dimensions: drawn over all that stands, so that streets and institutions can be read between the buildings.
const ID = 'place-names';
const NEAR = 16; // from here on places are drawn one by one

/** The layers of names, the lowest first: what stands is drawn under them. */
export function nameLayers(map) {
  return map.getStyle().layers.filter(({type}) => type === 'symbol').map(({id}) => id);
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Add the names of institutions to those of a style, and turn those along streets towards who looks. */
export function addNames(map, shown) {
  if (!map.getSource('places')) map.addSource('places', {type: 'vector', tiles: [`${window.location.origin}/tiles/places/{z}/{x}/{y}.mvt`], maxzoom: NEAR});
  if (!map.getLayer(ID)) {
    map.addLayer({
      id: ID, type: 'symbol', source: 'places', 'source-layer': 'places', minzoom: NEAR, filter: ['has', 'name'],
      layout: {'text-field': ['get', 'name'], 'text-size': 12, 'text-font': ['sans-serif'], 'text-max-width': 9, 'text-padding': 10},
      paint: {'text-color': token('--ink'), 'text-halo-color': token('--surface'), 'text-halo-width': 2.2},
    });
  }
  if (map.getLayer('road-names')) map.setLayoutProperty('road-names', 'text-pitch-alignment', 'viewport');
  showNames(map, shown);
}

export function showNames(map, shown) {
  nameLayers(map).forEach((id) => map.setLayoutProperty(id, 'visibility', shown ? 'visible' : 'none'));
}
