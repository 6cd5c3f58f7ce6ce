"""An app that declares the layers of the ``tiles`` benchmark; only the servers of that benchmark install it."""

COUNTED_BELOW = 14
"""The zoom below which its points are counted together."""
