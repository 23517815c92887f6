"""OGC API - Features, Part 1: the kinds with a geometry as collections, for QGIS, GDAL and whatever else reads it."""
