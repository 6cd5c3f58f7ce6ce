"""Faces shown at a check-in: written anew as small pictures, kept sealed, forgotten."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from geo.errors import BadInput, TooLarge
from geo.kept import keep_stream, open_file

FOLDER: Final = "checkin-photos"
MOST_BYTES: Final = 8_000_000
MOST_PIXELS: Final = 50_000_000
SIDE: Final = 640


def small(picture: bytes) -> bytes:
    """Return a picture as a JPEG of 640 pixels at most, without anything but the picture. Raises ``BadInput``, ``TooLarge``."""
    if len(picture) > MOST_BYTES:
        raise TooLarge("photo_too_large", "照片太大，请用手机相机直接拍一张。", most=MOST_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(picture), formats=["JPEG", "PNG", "WEBP"]) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise TooLarge("photo_too_large", "照片太大，请用手机相机直接拍一张。")
                image.draft("RGB", (SIDE * 2, SIDE * 2))
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError) as fault:
        raise BadInput("photo_unreadable", "照片打不开，请重新拍一张。", field="photo") from fault
    upright.thumbnail((SIDE, SIDE))
    plain = Image.frombytes("RGB", upright.size, upright.tobytes())
    out = io.BytesIO()
    plain.save(out, format="JPEG", quality=85)
    return out.getvalue()


def path_of(file: UUID) -> Path:
    """Return where a photo lies."""
    return Path(settings.MEDIA_ROOT) / FOLDER / name_of(file)


def name_of(file: UUID) -> str:
    """Return the name of a photo below its folder."""
    return f"{file.hex[-2:]}/{file.hex}"


def keep_photo(file: UUID, picture: bytes) -> None:
    """Keep a photo, sealed."""
    keep_stream(io.BytesIO(picture), path_of(file))


def photo_bytes(file: UUID) -> bytes:
    """Return a kept photo. Raises ``FileNotFoundError``."""
    with open_file(path_of(file)) as content:
        return content.read()


def forget_file(file: UUID) -> None:
    """Forget a photo; one that is gone already is none."""
    path_of(file).unlink(missing_ok=True)
