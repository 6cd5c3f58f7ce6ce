"""Backup and restore: one file holding the database, the uploads and a manifest of counts and hashes.

A backup is a single snapshot: the dump and the figures of the manifest see the same instant. A restore fills a new
database beside the present one, compares every table with the manifest and only then puts it in the other's place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import conninfo, sql

from web.serving import key_copies

FORMAT = 1
PG_BIN = Path("/usr/lib/postgresql/15/bin")
# Owner and rights are those of the database restored into; extensions are there already and not ours to comment on.
RESTORE_OPTIONS = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error")


class ArchiveProblem(Exception):
    """A backup cannot be written, read or put in place; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table held: its rows and an order-free digest of them."""

    rows: int
    digest: str


def main() -> int:
    """Run ``save FILE`` or ``restore FILE [--force]`` on ``DATABASE_URL`` and ``QUANTU_STATE``."""
    parser = argparse.ArgumentParser(prog="./run backup|restore")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("save").add_argument("file", type=Path)
    restoring = commands.add_parser("restore")
    restoring.add_argument("file", type=Path)
    restoring.add_argument("--force", action="store_true")
    options = parser.parse_args()
    url, media = os.environ["DATABASE_URL"], Path(os.environ["QUANTU_STATE"]) / "media"
    passphrase = os.environ.get(key_copies.PASSPHRASE, "")
    try:
        if options.command == "save":
            manifest = save(url=url, media=media, file=options.file, passphrase=passphrase)
        else:
            manifest = restore(url=url, media=media, file=options.file, force=options.force, passphrase=passphrase)
    except (ArchiveProblem, key_copies.KeysProblem, psycopg.Error, OSError, tarfile.TarError) as problem:
        sys.stderr.write(f"run: {problem}\n")
        return 1
    rows = sum(state["rows"] for state in manifest["tables"].values())
    keys = "with the sealed keys" if manifest.get("keys") else f"without keys (set {key_copies.PASSPHRASE})"
    sys.stderr.write(f"{len(manifest['tables'])} tables, {rows:,} rows, {len(manifest['media'])} uploads, {keys}\n")
    return 0


def save(*, url: str, media: Path, file: Path, passphrase: str = "") -> dict[str, Any]:
    """Write ``file`` (readable by its owner only) and return its manifest; an unfinished file never bears the name.

    The keys of the house are in it only where there is a passphrase to seal them by: whoever steals the file opens nothing.
    """
    keys = key_copies.sealed_copy(passphrase) if passphrase else None
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        dump = Path(folder) / "database.dump"
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            (snapshot,) = connection.execute("select pg_export_snapshot()").fetchone() or ("",)
            _program("pg_dump", "-Fc", "-Z", "3", f"--snapshot={snapshot}", "-f", str(dump), "-d", url)
            tables, sequences = table_states(connection), sequence_values(connection)
        uploads = sorted(path for path in media.rglob("*") if path.is_file() and not _passing(path.relative_to(media)))
        manifest = {
            "format": FORMAT,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "dump": _digest(dump),
            "tables": {name: asdict(state) for name, state in tables.items()},
            "sequences": sequences,
            "media": {str(path.relative_to(media)): _digest(path) for path in uploads},
        }
        if keys is not None:
            (Path(folder) / key_copies.NAME).write_bytes(keys)
            manifest["keys"] = _digest(Path(folder) / key_copies.NAME)
        listing = Path(folder) / "manifest.json"
        listing.write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        draft = Path(folder) / "backup.tar"
        with tarfile.open(draft, "w") as archive:
            archive.add(listing, "manifest.json")
            archive.add(dump, "database.dump")
            if keys is not None:
                archive.add(Path(folder) / key_copies.NAME, key_copies.NAME)
            for path in uploads:
                archive.add(path, f"media/{path.relative_to(media)}")
        draft.chmod(0o600)
        draft.replace(file)
    return manifest


def _passing(path: Path) -> bool:
    """Say whether a file can be made again or is still arriving: drawn pages and uploads that nothing names yet."""
    return path.parts[0] in ("previews", "incoming") or path.parts[:2] == ("attachments", "incoming")


def restore(*, url: str, media: Path, file: Path, force: bool, passphrase: str = "") -> dict[str, Any]:
    """Put the backup in the place of an empty database (any database with ``force``) and return its manifest.

    Keys of the house that are sealed in it join those that are here, where the passphrase is given.
    Raises :class:`ArchiveProblem` when the file is damaged, the database is not empty, or what was restored differs
    from the manifest in a count or a hash; the present database and uploads are then untouched.
    """
    if not force and (tables := _table_names(url)):
        raise ArchiveProblem(f"the database is not empty ({len(tables)} tables); --force replaces everything in it")
    media.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=media.parent, prefix=".restore-") as name:
        folder = Path(name)
        manifest = _unpack(file, folder)
        copies = _opened_keys(manifest, folder, passphrase)
        fresh = _side_database(url)
        try:
            _program("pg_restore", *RESTORE_OPTIONS, "-d", fresh, str(folder / "database.dump"))
            with psycopg.connect(fresh) as connection:
                _compare(manifest, table_states(connection), sequence_values(connection))
            key_copies.put_back(copies)
            _take_place(url, fresh)
        except BaseException:
            _drop(url, _name(fresh))
            raise
        unpacked = folder / "media"
        unpacked.mkdir(exist_ok=True)
        if media.exists():
            media.rename(folder / "media-before")
        unpacked.rename(media)
    return manifest


def _opened_keys(manifest: dict[str, Any], folder: Path, passphrase: str) -> dict[str, str]:
    if not manifest.get("keys"):
        return {}
    if not passphrase:
        sys.stderr.write(f"the keys in the backup stay sealed: set {key_copies.PASSPHRASE} to bring them back\n")
        return {}
    opened: dict[str, str] = key_copies.opened_copy((folder / key_copies.NAME).read_bytes(), passphrase)
    return opened


def table_states(connection: psycopg.Connection[Any]) -> dict[str, TableState]:
    """Count and digest every table of our own; the digest is a sum of row hashes, so the order of rows is no matter."""
    connection.execute("set local time zone 'UTC'")
    connection.execute("set local extra_float_digits = 1")
    states = {}
    for name in own_tables(connection):
        query = sql.SQL(
            "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) || '/' ||"
            " coalesce(sum(hashtextextended(t::text, 1)::numeric), 0) from {} as t"
        ).format(sql.Identifier(*name.split(".")))
        rows, digest = connection.execute(query).fetchone() or (0, "")
        states[name] = TableState(rows, digest)
    return states


def sequence_values(connection: psycopg.Connection[Any]) -> dict[str, int | None]:
    """Return the last value of every sequence of our own (none when never used)."""
    rows = connection.execute("select schemaname || '.' || sequencename, last_value from pg_sequences order by 1")
    return {str(name): value for name, value in rows}


def own_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Return schema.table of every table that no extension owns, but spatial_ref_sys, to which applications add rows."""
    rows = connection.execute(
        "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'"
        " and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e') order by 1"
    )
    return [str(name) for (name,) in rows]


def _compare(manifest: dict[str, Any], tables: dict[str, TableState], sequences: dict[str, int | None]) -> None:
    found = {name: asdict(state) for name, state in tables.items()}
    wrong = sorted(
        name for name in manifest["tables"].keys() | found.keys() if manifest["tables"].get(name) != found.get(name)
    )
    wrong += sorted(name for name, value in manifest["sequences"].items() if sequences.get(name) != value)
    if wrong:
        raise ArchiveProblem(f"what was restored differs from the backup's manifest in: {', '.join(wrong)}")


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Write the members the manifest lists below ``folder`` and check each against its hash; nothing else is written."""
    try:
        with tarfile.open(file, "r:") as archive:
            manifest: dict[str, Any] = json.loads(_member(archive, "manifest.json").read())
            if manifest.get("format") != FORMAT:
                raise ArchiveProblem(f"{file} has format {manifest.get('format')}; this version reads format {FORMAT}")
            for name, digest in _listed(manifest).items():
                target = folder / name
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise ArchiveProblem(f"{file} would write outside its folder: {name}")
                target.parent.mkdir(parents=True, exist_ok=True)
                with _member(archive, name) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                if _digest(target) != digest:
                    raise ArchiveProblem(f"{file} is damaged: {name}")
    except (tarfile.TarError, EOFError, ValueError, KeyError) as problem:
        raise ArchiveProblem(f"{file} is no complete backup: {problem}") from problem
    return manifest


def _listed(manifest: dict[str, Any]) -> dict[str, str]:
    keys = {key_copies.NAME: manifest["keys"]} if manifest.get("keys") else {}
    return {
        "database.dump": manifest["dump"],
        **keys,
        **{f"media/{name}": digest for name, digest in manifest["media"].items()},
    }


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise ArchiveProblem(f"the backup holds no file {name}")
    return found


def _table_names(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return own_tables(connection)


def _name(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _elsewhere(url: str, name: str) -> str:
    return conninfo.make_conninfo(url, dbname=name)


def _side_database(url: str) -> str:
    name = f"{_name(url)}_restoring"
    _drop(url, name)
    _administer(url, sql.SQL("create database {}").format(sql.Identifier(name)))
    return _elsewhere(url, name)


def _take_place(url: str, fresh: str) -> None:
    old, before = _name(url), f"{_name(url)}_before"
    _drop(url, before)
    _administer(
        url,
        sql.SQL("select pg_terminate_backend(pid) from pg_stat_activity where datname = {}").format(sql.Literal(old)),
        sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(before)),
        sql.SQL("alter database {} rename to {}").format(sql.Identifier(_name(fresh)), sql.Identifier(old)),
    )
    _drop(url, before)


def _drop(url: str, name: str) -> None:
    _administer(url, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _administer(url: str, *statements: sql.Composed) -> None:
    with psycopg.connect(_elsewhere(url, "postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _program(name: str, *arguments: str) -> None:
    done = subprocess.run([PG_BIN / name, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ArchiveProblem(f"{name} failed: {done.stderr.strip()[-2000:]}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    if shutil.which(str(PG_BIN / "pg_dump")) is None:
        sys.exit("run: PostgreSQL 15's pg_dump is missing: apt-get install postgresql-client-15")
    sys.exit(main())
