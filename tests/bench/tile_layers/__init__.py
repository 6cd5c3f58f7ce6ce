"""An app that declares the layers of the ``tiles`` benchmark; only the servers of that benchmark install it."""
