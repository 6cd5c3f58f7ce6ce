"""Images, decoded and written anew: what is not picture, above all where a photo was taken, does not survive."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from services.kernel.documents.reasons import Refused
from services.kernel.documents.spec import FileType

MOST_PIXELS: Final = 80_000_000
_FORMATS: Final = {FileType.JPEG: "JPEG", FileType.PNG: "PNG", FileType.WEBP: "WEBP"}
_OPTIONS: Final[dict[FileType, dict[str, Any]]] = {
    FileType.JPEG: {"quality": 92, "subsampling": 0, "optimize": True},
    FileType.PNG: {},
    FileType.WEBP: {"quality": 92},
}
_MODES: Final = {FileType.JPEG: ("RGB", "L"), FileType.PNG: ("RGB", "RGBA", "L", "LA"), FileType.WEBP: ("RGB", "RGBA")}


def write_anew(source: Path, target: Path, type: FileType) -> dict[str, Any]:
    """Decode an image, turn it the way it was held, and write its first picture without anything else; return its size in pixels.

    Raises ``Refused`` when it has too many pixels or cannot be decoded whole.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own limit speaks first, and refuses rather than warns
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=[_FORMATS[type]]) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Refused("image_too_many_pixels")
                image.load()
                picture = _only_picture(image, type)
                picture.save(target, format=_FORMATS[type], **_OPTIONS[type])
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError) as fault:
        raise Refused("file_broken") from fault
    return {"width": picture.width, "height": picture.height}


def _only_picture(image: Image.Image, type: FileType) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    modes = _MODES[type]
    if upright.mode not in modes:
        clear = "A" in upright.getbands() or "transparency" in upright.info
        upright = upright.convert("RGBA" if clear and "RGBA" in modes else "RGB")
    # Bytes of pixels alone: profiles, comments and metadata travel in `info`, which a new picture has not.
    return Image.frombytes(upright.mode, upright.size, upright.tobytes())
