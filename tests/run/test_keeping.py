"""Backup and restore: what comes back is what was there, and nothing is lost when it cannot be."""

from __future__ import annotations

import tarfile
from pathlib import Path

import psycopg
import pytest

from tests.run.conftest import House

WORLD = """
create table place (id bigint generated always as identity primary key, name text not null, geom geometry(Point) check (st_isvalid(geom)));
insert into place (name, geom) select '托育 ' || n, st_makepoint(121 + n / 1000.0, 31.2) from generate_series(1, 500) n;
create table note (place bigint references place, said text, amount numeric(12, 2), at timestamptz);
insert into note select id, name || E'\\n"引号"', id * 1.25, '2025-01-01 08:00+08' from place where id % 3 = 0;
create materialized view places_per_note as select count(*) from note;
"""


@pytest.fixture
def backed_up(house: House, tmp_path: Path) -> Path:
    house.run("services")
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        connection.execute(WORLD)
    (house.state / "media" / "imports").mkdir()
    (house.state / "media" / "imports" / "名单.csv").write_text("编号,名称\n1,甲\n")
    file = tmp_path / "copy.tar"
    assert house.run("backup", str(file)).stdout.strip() == str(file)
    return file


def rows(house: House, table: str) -> list[tuple[object, ...]]:
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        return connection.execute(f"select * from {table} order by 1, 2").fetchall()  # type: ignore[arg-type]


def test_a_backup_restores_into_an_empty_cluster(house: House, backed_up: Path) -> None:
    before = (
        rows(house, "place"),
        rows(house, "note"),
        rows(house, "places_per_note as p (n) cross join (values (1)) as v (x)"),
    )
    assert backed_up.stat().st_mode & 0o077 == 0
    house.run("reset", "--yes", "--empty")
    assert not (house.state / "media").exists()
    said = house.run("restore", str(backed_up)).stderr
    assert "2 tables, 666 rows, 1 uploads" in said
    assert before == (
        rows(house, "place"),
        rows(house, "note"),
        rows(house, "places_per_note as p (n) cross join (values (1)) as v (x)"),
    )
    assert (house.state / "media" / "imports" / "名单.csv").read_text() == "编号,名称\n1,甲\n"
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        # The next number follows the restored ones.
        assert connection.execute("insert into place (name) values ('新') returning id").fetchone() == (501,)


def test_a_database_with_something_in_it_is_replaced_only_by_force(house: House, backed_up: Path) -> None:
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        connection.execute("delete from note; insert into place (name) values ('后来的')")
    refused = house.run("restore", str(backed_up), code=1)
    assert "not empty" in refused.stderr
    assert "--force" in refused.stderr
    assert len(rows(house, "place")) == 501
    house.run("restore", str(backed_up), "--force")
    assert len(rows(house, "place")) == 500
    assert len(rows(house, "note")) == 166


def test_a_damaged_backup_changes_nothing(house: House, backed_up: Path, tmp_path: Path) -> None:
    whole = backed_up.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: len(whole) // 2])
    flipped = tmp_path / "flipped.tar"
    with tarfile.open(backed_up) as archive:
        middle = archive.getmember("database.dump").offset_data + archive.getmember("database.dump").size // 2
    flipped.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    for file in (cut, flipped):
        said = house.run("restore", str(file), "--force", code=1).stderr
        assert "damaged" in said or "no complete backup" in said
    assert len(rows(house, "place")) == 500
    assert (house.state / "media" / "imports" / "名单.csv").exists()


def test_a_backup_whose_manifest_differs_from_its_dump_is_refused(
    house: House, backed_up: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "unpacked"
    with tarfile.open(backed_up) as archive:
        archive.extractall(folder)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows": 500', '"rows": 499'))
    altered = tmp_path / "altered.tar"
    with tarfile.open(altered, "w") as archive:
        for name in ("manifest.json", "database.dump", "media"):
            archive.add(folder / name, name)
    said = house.run("restore", str(altered), "--force", code=1).stderr
    assert "public.place" in said
    assert len(rows(house, "place")) == 500
    with psycopg.connect(house.setting("DATABASE_URL")) as connection:
        assert connection.execute("select datname from pg_database where datname like 'quantu_%'").fetchall() == []
