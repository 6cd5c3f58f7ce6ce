"""QR codes of public pages. Pure but for the address of the site, which the caller knows."""

from __future__ import annotations

import io


def qr_svg(text: str) -> bytes:
    """Return a QR code as SVG, dark on white with its quiet zone; a quarter of it may be dirty or glare."""
    import segno  # only here: nothing else of the house draws codes

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", scale=4, border=4, dark="#000", light="#fff")
    return out.getvalue()


def qr_png(text: str, *, pixels: int = 800) -> bytes:
    """Return the same code as PNG for print, so many pixels wide or a little less, every module of one whole size."""
    import segno

    out = io.BytesIO()
    code = segno.make(text, error="q", micro=False)
    code.save(
        out, kind="png", scale=max(1, pixels // code.symbol_size(border=4)[0]), border=4, dark="#000", light="#fff"
    )
    return out.getvalue()
