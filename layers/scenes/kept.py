"""The folder of files that scenes keep."""

from layers.scenes.holding import FOLDER

KEPT = (FOLDER,)
