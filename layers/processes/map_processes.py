"""The processes of layers themselves."""

from layers.exports.process import EXPORT
from layers.processes.spatial import REPROJECT

PROCESSES = (EXPORT, REPROJECT)
