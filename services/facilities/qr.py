"""The QR code of a place's public page. Pure but for the address of the site, which the caller knows."""

from __future__ import annotations

import io


def qr_svg(text: str) -> bytes:
    """Return a QR code as SVG, dark on white with its quiet zone; a quarter of it may be dirty or glare."""
    import segno  # only here: nothing else of the house draws codes

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", scale=4, border=4, dark="#000", light="#fff")
    return out.getvalue()
