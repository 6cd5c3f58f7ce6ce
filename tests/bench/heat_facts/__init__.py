"""An app that declares the fact of the ``layers`` benchmark; only the server of that benchmark installs it."""
