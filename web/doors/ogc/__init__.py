"""The standards door ``/ogc``: features, tiles, processes."""
