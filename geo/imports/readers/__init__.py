"""Files become records: one reader per format, all answering a ``Reading`` and refusing what is broken or hostile."""

from geo.imports.readers.formats import read_file
from geo.imports.readers.reading import Reading

__all__ = ["Reading", "read_file"]
