"""The command that holds the city's plane against control points: figures, verdict, exit code, and nothing adjusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from geo.crs import SHANGHAI

MARKS = np.array([[121.30, 31.10], [121.60, 31.12], [121.32, 31.40], [121.62, 31.38], [121.4737, 31.2304]])


def marks(shift: tuple[float, float] = (0.0, 0.0), wild: float = 0.0, order: str = "north_first") -> list[str]:
    """Return lines of control points whose official coordinates differ from ours by ``shift``, the last one by ``wild`` more."""
    east, north = SHANGHAI.plane.forward(*MARKS.T)
    east, north = east + shift[0], north + shift[1]
    east[-1] += wild
    lines = ["点名,经度,纬度,X,Y"]
    for n, ((lon, lat), e, m) in enumerate(zip(MARKS, east, north, strict=True), 1):
        first, second = (m, e) if order == "north_first" else (e, m)
        lines.append(f"点{n},{lon},{lat},{first:.4f},{second:.4f}")
    return lines


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: Any) -> Run:
    def run(lines: list[str], *options: str, encoding: str = "utf-8") -> tuple[int, str]:
        path = tmp_path / "marks.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        code = 0
        try:
            call_command("verify_grid", str(path), *(options or ("--order", "north_first")))
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_points_on_the_grid_prove_it(run: Run, encoding: str) -> None:
    code, out = run(marks(), encoding=encoding)
    assert code == 0
    assert "控制点 5 个" in out
    assert "中误差 0.000 米，最大 0.000 米" in out
    assert out.count("合 0.000") == 5
    assert "结论：验证通过" in out


def test_a_common_shift_is_measured_and_refused(run: Run) -> None:
    code, out = run(marks(shift=(0.30, -0.40)))
    assert code == 1
    assert "点1\t东 +0.300\t北 -0.400\t合 0.500" in out
    assert "中误差 0.500 米，最大 0.500 米" in out
    assert "残差有共同规律：东 +0.300 米、北 -0.400 米" in out
    assert "没有通过验证，参数未作任何改动" in out


def test_one_wild_point_is_refused_by_the_largest_residual(run: Run) -> None:
    code, out = run(marks(wild=0.2), "--order", "north_first")
    assert code == 0, out
    code, out = run(marks(wild=0.2), "--order", "north_first", "--tolerance", "0.05")
    assert code == 1
    assert "最大 0.200 米（允许 0.05 与 0.15）" in out


def test_the_order_is_declared_and_a_wrong_one_is_seen(run: Run) -> None:
    assert run(marks(order="east_first"), "--order", "east_first")[0] == 0
    code, out = run(marks(order="east_first"), "--order", "north_first")
    assert code == 1
    assert "轴序很可能声明反了" in out
    with pytest.raises(CommandError, match="--order"):
        run(marks(), "--tolerance", "1")


def test_too_few_points_prove_nothing(run: Run) -> None:
    code, out = run(marks()[:4])
    assert code == 1
    assert "控制点只有 3 个" in out


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["点名,经度,纬度,X,Y"], "没有控制点"),
        (["a,121.4,31.2,1"], "应有 5 列"),
        (["a,121.4,31.2,x,1"], "不是数字"),
        (["a,甲,31.2,1,1"], "经纬度有误"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(run: Run, lines: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(lines)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CommandError, match="找不到文件"):
        call_command("verify_grid", "nowhere.csv", "--order", "north_first")
