"""How a layer is drawn, as data: symbols, classes, legends; kept in versions, written as MapLibre layers."""
