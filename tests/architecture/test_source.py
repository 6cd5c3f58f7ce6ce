"""Rules about the text of the source that no linter knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("geo", "tiles", "routing", "layers", "services", "web", "fixtures")
# The numbers of geo/crs/codes.py and their neighbours. "epsg:4549" is a name of the API; a longer number is something else.
SRID = re.compile(r"(?<![\w.])(?<!epsg:)(?:4490|4326|3857|4214|2383|45[0-5]\d|990001)(?![\w.])")
FOREIGN_HOST = re.compile(
    r"""(?:src|href|action|from|import\(|fetch\(|url\()\s*=?\s*["'(]*\s*(?:https?:)?//([\w.-]+)"""
)
OWN_HOSTS = {"localhost", "127.0.0.1"}
# A link a person follows (navigation, licence) is no request of the page; it stands in an <a href>.
PERSON_FOLLOWS = re.compile(r"<a\s[^>]*$")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home/\w+|Users/\w+)/|/root/(?!\.ssh)|(?<![\w.])/tmp/\w")


def tracked(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Return the tracked and the new files with these endings, without third-party bundles."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *under],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / line for line in listing.stdout.splitlines())
    return [path for path in paths if path.is_file() and path.name.endswith(suffixes or ("",))]


def lines_of(path: Path) -> list[tuple[int, str]]:
    return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))


def place(path: Path, number: int, line: str) -> str:
    return f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"


def test_srid_numbers_stand_in_one_file_only() -> None:
    codes = ROOT / "geo" / "crs" / "codes.py"
    strays = [
        place(path, number, line)
        for path in tracked(".py", under=PACKAGES)
        if path != codes and "migrations" not in path.parts
        for number, line in lines_of(path)
        if SRID.search(re.sub(r'"""[^"]*"""|#.*', "", line))
        and re.search(r"srid|crs|epsg|transform", line, re.IGNORECASE)
    ]
    assert strays == []


def test_pages_ask_no_other_host() -> None:
    strays = []
    for path in tracked(".html", ".js", ".mjs", ".css", ".svg", under=("web", "layers", "services", "tiles")):
        for number, line in lines_of(path):
            for match in FOREIGN_HOST.finditer(line):
                if match.group(1) not in OWN_HOSTS and not PERSON_FOLLOWS.search(line[: match.start()]):
                    strays.append(place(path, number, line))
    assert strays == []


def test_no_page_has_an_inline_script() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=[\"']application/(?:ld\+)?json)[^>]*>|\son\w+\s*=\s*[\"']|javascript:",
        re.IGNORECASE,
    )
    strays = [
        place(path, number, line)
        for path in tracked(".html", under=PACKAGES)
        for number, line in lines_of(path)
        if inline.search(line)
    ]
    assert strays == []


def test_no_file_names_a_path_of_one_machine() -> None:
    strays = [
        place(path, number, line)
        for path in tracked(
            ".py", ".md", ".sh", ".toml", ".txt", ".html", ".js", ".mjs", ".json", ".conf", ".csv", "run", "Procfile"
        )
        if path != Path(__file__)
        for number, line in lines_of(path)
        if MACHINE_PATH.search(line)
    ]
    assert strays == []


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "web/serving/uv.txt", "package-lock.json"]
)
def test_locks_pin_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "https://" not in re.sub(r'"(?:url|funding)": "[^"]*"', "", text)
    assert "sha256:" in text or '"integrity": "sha512-' in text


def test_the_map_of_the_code_names_every_package() -> None:
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    packages = [path.parent.relative_to(ROOT).as_posix() for path in tracked("__init__.py", under=PACKAGES)]
    expected = [name for name in packages if name.count("/") <= 1 and not name.endswith(("migrations", "management"))]
    assert [name for name in expected if f"`{name}/`" not in text] == []
