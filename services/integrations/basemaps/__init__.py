"""Base maps of others: imagery as tiles in Web Mercator, over WMTS 1.0.0 (KVP) or by a template of addresses (WMTS REST, XYZ)."""
