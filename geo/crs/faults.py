"""What can be wrong with a coordinate or a coordinate system, as named errors with a Chinese sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from geo.errors import BadInput

ROWS_NAMED = 20


class UnknownSystem(BadInput):
    """The named coordinate system is none that we know."""

    def __init__(self, text: str) -> None:
        shown = text.strip()[:40]
        super().__init__(
            "crs_unknown",
            f"不认识的坐标系“{shown}”。可用：cgcs2000、wgs84、gcj02、bd09、sh2000、webmercator，或高斯投影如 epsg:4549。",
            crs=shown,
        )


class UnsupportedDatum(BadInput):
    """The system exists, but no trustworthy transformation to CGCS2000 is public."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(
            "crs_unsupported",
            f"暂不能换算{name}坐标：没有公开的转换参数，直接换算会差几十米。请先由测绘部门转换为 CGCS2000，再提交。",
            crs=text.strip()[:40],
        )


class RowsFault(BadInput):
    """Some rows of a set of coordinates are at fault; ``detail["rows"]`` names the first of them, counted from 0."""

    def __init__(self, code: str, message: str, rows: Sequence[int], count: int) -> None:
        super().__init__(code, message, rows=[int(row) for row in rows[:ROWS_NAMED]], count=count)


class NotFinite(RowsFault):
    """A coordinate is NaN or infinite."""


class OutOfRange(RowsFault):
    """A coordinate lies where its system is not defined."""


class ShapeFault(BadInput):
    """The two arrays of a set of coordinates do not belong together."""

    def __init__(self, x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> None:
        super().__init__(
            "coordinates_shape",
            f"横、纵坐标的个数不一致（{x_shape} 与 {y_shape}），请检查数据是否缺列。",
            x_shape=list(x_shape),
            y_shape=list(y_shape),
        )


class BadPoint(BadInput):
    """A text cannot be read as a point."""


class BadGrid(BadInput):
    """The parameters or control points of a local grid cannot be right."""
