"""How static files are named where a server in front keeps them for a year: by their content, imports of modules included."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedFiles(ManifestStaticFilesStorage):
    """Names by content also inside ``import``: else a module would be loaded twice, by its plain and by its hashed name."""

    support_js_module_import_aggregation = True
