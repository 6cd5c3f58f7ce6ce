"""The folder of files that datasets keep."""

from layers.datasets.files.kept import FOLDER

KEPT = (FOLDER,)
