// Drawing one area on a map of ours: corner by corner, then corners are dragged, added in the middle of an edge, or taken away.
import {TerraDraw, TerraDrawMapLibreGLAdapter, TerraDrawPolygonMode, TerraDrawSelectMode} from '../vendor/terra-draw.mjs';

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Start drawing; `changed` hears the corners of a finished area, or null while there is none. */
export function startDrawing(map, changed) {
  const accent = colour('--accent');
  const surface = colour('--surface');
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({map, coordinatePrecision: 6}),
    modes: [
      new TerraDrawPolygonMode({
        styles: {
          fillColor: accent, fillOpacity: 0.16, outlineColor: accent, outlineWidth: 3,
          closingPointColor: surface, closingPointWidth: 6, closingPointOutlineColor: accent, closingPointOutlineWidth: 2,
        },
      }),
      new TerraDrawSelectMode({
        flags: {polygon: {feature: {draggable: false, selfIntersectable: false, coordinates: {midpoints: true, draggable: true, deletable: true}}}},
        styles: {
          selectedPolygonColor: accent, selectedPolygonFillOpacity: 0.16, selectedPolygonOutlineColor: accent, selectedPolygonOutlineWidth: 3,
          selectionPointColor: surface, selectionPointWidth: 6, selectionPointOutlineColor: accent, selectionPointOutlineWidth: 2,
          midPointColor: accent, midPointWidth: 4, midPointOutlineColor: surface, midPointOutlineWidth: 1,
        },
      }),
    ],
  });
  draw.start();

  function corners() {
    const area = draw.getSnapshot().find((each) => each.geometry.type === 'Polygon');
    return area ? area.geometry.coordinates[0].slice(0, -1) : null;
  }

  draw.on('finish', (id) => {
    if (draw.getMode() === 'polygon') {
      // the one that finishes is still at work: its successor waits until it is done
      setTimeout(() => { draw.setMode('select'); draw.selectFeature(id); }, 0);
    }
    changed(corners());
  });

  return {
    begin() {
      draw.clear();
      draw.setMode('polygon');
      changed(null);
    },
    show(ring) {
      draw.clear();
      const area = {type: 'Feature', properties: {mode: 'polygon'}, geometry: {type: 'Polygon', coordinates: [[...ring, ring[0]]]}};
      const [{id}] = draw.addFeatures([area]);
      draw.setMode('select');
      draw.selectFeature(id);
    },
    clear() {
      draw.setMode('select');
      draw.clear();
      changed(null);
    },
  };
}
