"""The whole home in one file, made while Ken serves, and back again.

A backup is a ZIP archive: `manifest.json` (format, Ken version, time, and the SHA-256 and size of each member), `ken.db`,
what an operator wrote (`ken.toml`, `alerts.toml`, files that these name), `route.json` and `uploads/`, where the home has
them. `index/` and `models/` stay out, as they are made again; so do `events/` and `logs/`, which are streams for other
programs to read, and `backups/`, as a backup of backups doubles with each. A restored database has no `index_generation`,
which tells whoever opens the home to build its index from the database.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
import struct
import tempfile
import time
import tomllib
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from pydantic import TypeAdapter

from ken import __version__
from ken.errors import Conflict, InvalidInput, NotFound, StorageError
from ken.storage.faults import storage_error
from ken.storage.schema import home as home_table
from ken.storage.sqlite import FILE_NAME, SqliteDatabase

FORMAT = 2
"""Since 2, other files than the settings stand beside the database."""
_READ = frozenset({1, FORMAT})
MANIFEST = "manifest.json"
SETTINGS = "ken.toml"
WRITTEN = (SETTINGS, "alerts.toml", "route.json")
"""Files of a home that nothing makes again: two that an operator writes, one that `ken tune routes` fits."""
UPLOADS = "uploads"
_REPLACED = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", *WRITTEN, UPLOADS, "index")
_NAMING = frozenset({"tokenizer", "ca_file"})
"""Settings that name a small file, which may lie in the home. A private key (`ssh_key`) is left to where secrets are kept."""
_NOT_A_HOME = frozenset({"models", "lost+found"})
_PIECE = 1024 * 1024
_LARGEST_MANIFEST = 64 * 1024 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, OSError, RuntimeError, ValueError)
"""What reading an archive raises when it was cut short, altered, or made by something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. `made_at` is seconds since the epoch."""

    format: int
    ken: str
    made_at: float
    members: tuple[Member, ...]


_MANIFEST = TypeAdapter(Manifest)


def backup(home: Path, to: Path, *, replace: bool = False) -> Manifest:
    """Write the home into one file, readable by this user alone.

    With `replace`, what stood there is replaced at the end, at once. The database is copied as of one moment, while others
    read and write it. Raises NotFound when there is no home, Conflict where the file is there already, InvalidInput for an
    unusable destination, StorageError when the disk fails.
    """
    database = home / FILE_NAME
    if not database.is_file():
        raise NotFound(f"There is no home at {str(home)!r}: it holds no {FILE_NAME!r}.")
    if to.is_dir() or to.resolve().is_relative_to((home / UPLOADS).resolve()):
        raise InvalidInput(f"A backup can't be written to {str(to)!r}: name a file outside of the uploads.")
    if to.exists() and not replace:
        raise Conflict(
            f"There is a file {str(to)!r} already. Name another one, or say `--replace` to have this backup in its place."
        )
    unfinished = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
    try:
        with tempfile.TemporaryDirectory(prefix=".ken-backup-", dir=to.parent) as folder:
            copy = Path(folder) / FILE_NAME
            copy_database(database, copy)
            with _created(unfinished) as file:
                manifest = _write(file, home, copy=copy)
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(to)
    except OSError as error:
        raise StorageError(
            f"The backup {str(to)!r} can't be written: {error.strerror}. Check the folder and its free space."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def restore(from_file: Path, home: Path, *, replace: bool = False) -> Manifest:
    """Make a home of a backup. What the home holds stays as it is until the whole backup is read and found sound.

    With `replace`, its database, settings, alert rules, route estimator, uploads and index give way; anything else in the
    folder stays. Raises
    NotFound without the file, InvalidInput when it is damaged or no backup of Ken's, Conflict when the home is not
    empty, or in use, and StorageError when the disk fails or the backup is of a newer Ken.
    """
    if not from_file.is_file():
        raise NotFound(f"There is no backup {str(from_file)!r}.")
    _check_vacant(home, replace=replace)
    # Within the home, which may be a mount point: only there can files be moved in without copying them.
    with _folder(home), tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as folder:
        new, old = Path(folder, "new"), Path(folder, "old")
        new.mkdir(mode=0o700)
        old.mkdir(mode=0o700)
        manifest = _unpack(from_file, new)
        _forget_index(new)
        if in_use(home / FILE_NAME):
            raise Conflict(f"The home {str(home)!r} is in use. Stop Ken before you replace it.")
        _swap(home, (*_REPLACED, *_named(new)), new=new, old=old)
    return manifest


@contextmanager
def _folder(home: Path) -> Generator[None, None, None]:
    """Make the home's folder where there is none, and take it away again if the restore fails."""
    found = home.exists()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except BaseException as error:
        if not found:
            with suppress(OSError):
                home.rmdir()
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"The home {str(home)!r} can't be restored: {error.strerror}. Check the folder and its free space."
        ) from error


def _created(path: Path) -> IO[bytes]:
    """Open a new file that this user alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def copy_database(database: Path, copy: Path) -> None:
    """Copy the database in one step of SQLite's online backup: other processes go on reading and writing.

    Raises StorageError.
    """
    try:
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30.0)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            # One file: without its log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise storage_error(database, error) or error from error


def _write(file: IO[bytes], home: Path, *, copy: Path) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        members = [_add(archive, copy, name=FILE_NAME)]
        for path in _kept_files(home):
            try:
                members.append(_add(archive, path, name=path.relative_to(home).as_posix()))
            except FileNotFoundError:
                continue  # Deleted since it was listed.
        manifest = Manifest(format=FORMAT, ken=__version__, made_at=time.time(), members=tuple(members))
        archive.writestr(MANIFEST, _MANIFEST.dump_json(manifest, indent=1))
    return manifest


def _kept_files(home: Path) -> Iterator[Path]:
    """List the regular files beside the database; links lead out of the home and are not followed."""
    candidates = [*(home / name for name in (*WRITTEN, *_named(home))), *sorted((home / UPLOADS).rglob("*"))]
    return (path for path in candidates if path.is_file() and not path.is_symlink())


def _named(home: Path) -> list[str]:
    """The files that its settings name by a path within the home, of places where Ken puts nothing itself."""
    try:
        told: object = tomllib.loads((home / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    taken = {*_REPLACED, MANIFEST, "events", "logs", "backups", "clones"}
    return sorted(name for name in set(_naming(told)) if _is_clean(name) and PurePosixPath(name).parts[0] not in taken)


def _naming(told: object) -> Iterator[str]:
    """What stands at the settings that name a file, in tables and lists of tables."""
    if isinstance(told, dict):
        for key, value in cast("dict[str, object]", told).items():
            if key in _NAMING and isinstance(value, str):
                yield PurePosixPath(value).as_posix()
            else:
                yield from _naming(value)
    elif isinstance(told, list):
        for each in cast("list[object]", told):
            yield from _naming(each)


def _add(archive: zipfile.ZipFile, path: Path, *, name: str) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    return Member(name=name, size=size, sha256=digest.hexdigest())


def _check_vacant(home: Path, *, replace: bool) -> None:
    if home.exists() and not home.is_dir():
        raise Conflict(f"{str(home)!r} is not a folder. Choose another home.")
    held = sorted(entry.name for entry in home.iterdir() if entry.name not in _NOT_A_HOME) if home.exists() else []
    if held and not replace:
        raise Conflict(
            f"The home {str(home)!r} is not empty (it holds {held[0]!r}). Choose an empty folder, or restore with "
            "`--replace` to give up what it holds."
        )


def in_use(database: Path) -> bool:
    """Tell whether any connection to the database is open: only the last one may leave write-ahead logging."""
    if not database.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=0.5)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        # A file that is no sound database is in nobody's use.
        return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return False


def _unpack(from_file: Path, into: Path) -> Manifest:
    with _read_as_backup(from_file):
        archive = zipfile.ZipFile(from_file)
    with archive:
        with _read_as_backup(from_file):
            manifest = _read_manifest(archive)
        if manifest.format not in _READ:
            raise InvalidInput(
                f"The backup {str(from_file)!r} has format {manifest.format} (of Ken {manifest.ken}); this Ken reads "
                f"formats up to {FORMAT}. Upgrade Ken."
            )
        names = [member.name for member in manifest.members]
        if sorted([*names, MANIFEST]) != sorted(archive.namelist()) or FILE_NAME not in names:
            raise _damaged(from_file, "its members are not those of its manifest")
        named = list[str]()
        for member in sorted(manifest.members, key=lambda each: each.name != SETTINGS):
            if not _belongs(member.name, named=named):
                raise _damaged(from_file, f"{member.name!r} is no part of a home")
            _extract(archive, member, to=into / member.name, from_file=from_file)
            if member.name == SETTINGS:
                named = _named(into)
    return manifest


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    info = archive.getinfo(MANIFEST)
    if info.file_size > _LARGEST_MANIFEST:
        raise zipfile.BadZipFile
    return _MANIFEST.validate_json(archive.read(info))


def _belongs(name: str, *, named: Sequence[str]) -> bool:
    """Tell whether a name is one that a backup may hold: nothing that leads out of the home, or elsewhere in it."""
    parts = PurePosixPath(name).parts
    return name in {FILE_NAME, *WRITTEN, *named} or (_is_clean(name) and len(parts) > 1 and parts[0] == UPLOADS)


def _is_clean(name: str) -> bool:
    path = PurePosixPath(name)
    is_plain = path.as_posix() == name and not path.is_absolute() and bool(path.parts)
    return is_plain and not {"..", ""} & set(path.parts) and "\\" not in name and "\0" not in name


def _extract(archive: zipfile.ZipFile, member: Member, *, to: Path, from_file: Path) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), member.size
    with _created(to) as target:
        with _read_as_backup(from_file):
            source = archive.open(member.name)
        with source:
            while True:
                with _read_as_backup(from_file):
                    piece = source.read(_PIECE)
                left -= len(piece)
                if not piece or left < 0:
                    break
                digest.update(piece)
                target.write(piece)
        os.fsync(target.fileno())
    if left or digest.hexdigest() != member.sha256:
        raise _damaged(from_file, f"{member.name!r} is not what was backed up")


@contextmanager
def _read_as_backup(from_file: Path) -> Generator[None, None, None]:
    try:
        yield
    except PermissionError as error:
        raise StorageError(f"The backup {str(from_file)!r} may not be read by this user. Check its owner.") from error
    except _DAMAGED as error:
        raise _damaged(from_file, "it can't be read to its end, or something else made it") from error


def _damaged(from_file: Path, why: str) -> InvalidInput:
    return InvalidInput(f"{str(from_file)!r} is not a sound backup of Ken's: {why}. Use another backup.")


def _forget_index(home: Path) -> None:
    """Open the restored database, which proves it and brings its schema up to date, and ask for a new index."""
    database = SqliteDatabase(home)
    try:
        with database.write() as connection:
            connection.execute(home_table.delete().where(home_table.c.key == "index_generation"))
    finally:
        database.close()


def _swap(home: Path, names: Sequence[str], *, new: Path, old: Path) -> None:
    """Move the old files out and the new ones in, the database last; put the old ones back when that fails."""
    moved_out, moved_in = list[str](), list[str]()
    try:
        for name in names:
            if (home / name).exists():
                _move(name, home, to=old)
                moved_out.append(name)
        for name in reversed(names):
            if (new / name).exists():
                _move(name, new, to=home)
                moved_in.append(name)
    except OSError:
        for name in moved_in:
            _move(name, home, to=new)
        for name in moved_out:
            _move(name, old, to=home)
        raise
    # Gone for good with the folder that holds it.
    shutil.rmtree(old)


def _move(name: str, folder: Path, *, to: Path) -> None:
    (to / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / name).rename(to / name)
