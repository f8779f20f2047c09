"""A git repository as a source: one branch, tag or commit of it, or one folder of that.

What is needed of it lies in a bare, shallow, partial clone: the newest commit, its folders, and the files that Ken reads.
Files are read from there by their content's id and never checked out, so that no name, link, hook or filter of the
repository does anything on this machine. The clone is a cache: where it is lost or broken, it is fetched again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ken.errors import InvalidInput, SourceMisbehaves, StorageError, Unreadable
from ken.knowledge.parse.formats import NAMED, SUPPORTED, media_type
from ken.knowledge.sources.git_address import git_address
from ken.knowledge.sources.git_command import CloneBroken, GitAccess, GitCommand, GitLimits, end
from ken.knowledge.sources.patterns import PathPatterns
from ken.knowledge.sources.source import Change, Complete, Fetched, Gone, Listed, Unlisted

_TIP = "refs/ken/tip"
_REF = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\+]{1,200}(?<![/.])")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f\\]")
_MOST_PACKS = 40
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1_024
_BATCH = 5_000
_FILES = ("100644", "100755", "100664")
_LINK = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitScope:
    """Which part of a repository is a source."""

    ref: str = "HEAD"
    """A branch, a tag, or a whole commit id; HEAD is the repository's own main branch."""
    folder: str = ""
    """Paths are relative to it; empty for all of the repository."""
    include: tuple[str, ...] = ()
    """Patterns (sources/patterns.py) of paths in the folder; empty for all."""
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit; without `blob`, one that was deleted."""

    path: str
    mode: str
    blob: str | None


class GitConnector:
    """The files of a git repository. The cursor is a commit; a document's stamp and key are its blob's id.

    `cache` is a folder of Ken's own, where the clone is kept from sync to sync. Raises InvalidInput for what can't be used
    in the address or the scope.
    """

    def __init__(
        self,
        url: str,
        *,
        cache: Path,
        scope: GitScope | None = None,
        access: GitAccess | None = None,
        limits: GitLimits | None = None,
    ) -> None:
        scope, access, limits = scope or GitScope(), access or GitAccess(), limits or GitLimits()
        self._address = git_address(url)
        self._scope = scope
        self._folder = _checked_folder(scope.folder)
        self._limits = limits
        self._patterns = PathPatterns(scope.include, scope.exclude)
        if not _REF.fullmatch(scope.ref):
            raise InvalidInput(f"{scope.ref!r} is no name of a branch, tag or commit: check `ref`.")
        if self._address.protocol == "file" and not access.allow_local:
            raise InvalidInput(f"{url!r} is a repository on this machine: set `allow_local` if that is meant.")
        if access.token is not None and not self._address.is_private:
            raise InvalidInput(f"A token would go to {url!r} for everybody on the way to read: use https.")
        named = json.dumps([self._address.url, scope.ref, self._folder])
        self._clone = cache / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.git"
        self._git = GitCommand(self._clone, address=self._address, access=access, limits=limits)
        self._blobs = _Blobs(self._git, limit_s=limits.read_s)

    @property
    def location(self) -> str:
        """The address, with the branch and the folder where they were named."""
        ref = "" if self._scope.ref == "HEAD" else f"@{self._scope.ref}"
        return f"{self._address.url}{ref}{f' /{self._folder}' if self._folder else ''}"

    @property
    def concurrency(self) -> int:
        """One: all files come from one process beside this one."""
        return 1

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List the files of the newest commit, or those that changed since the commit in `cursor`.

        Any two commits can be compared, also after a forced push; where the old one or the settings are gone, the listing
        is whole.
        """
        try:
            commit, since, entries, sizes = await self._fetched(cursor)
        except CloneBroken:
            # Whatever a kill or a full disk left behind: a new clone says whether it is that or the repository.
            await self._start_over()
            try:
                commit, since, entries, sizes = await self._fetched(cursor)
            except CloneBroken as error:
                raise SourceMisbehaves(f"{error} A new clone didn't help.") from error
        for entry in entries:
            yield await self._change(entry, sizes)
        yield Complete(cursor=f"{commit}.{self._fingerprint()}", is_whole=since is None)

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one file, as it was when it was listed."""
        blob = listed.key
        if not re.fullmatch(r"[0-9a-f]{40,64}", blob):
            raise Unreadable(f"{listed.path!r} has no key that names a file in a repository: sync again.")
        try:
            data = await self._blobs.read(blob, most=self._limits.max_bytes)
            if data is None:
                await self._ready()
                await self._fetch_blobs([blob])
                data = await self._blobs.read(blob, most=self._limits.max_bytes)
        except (CloneBroken, SourceMisbehaves) as error:
            raise Unreadable(
                f"{listed.path!r} can't be had from the repository any more: sync again. {error}"
            ) from error
        if data is None:
            raise Unreadable(f"{listed.path!r} is not in the repository any more: sync again.")
        return Fetched(data=data, url=self._address.page(self._full(listed.path), ref=self._scope.ref))

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: git knows no readers of files."""
        del listed
        return None

    async def aclose(self) -> None:
        """End the process that reads files."""
        await self._blobs.aclose()

    async def _fetched(self, cursor: str | None) -> tuple[str, str | None, list[_Entry], dict[str, int]]:
        """Fetch what is new: the commit, the one to compare it with, the files that are wanted, their sizes by blob."""
        await self._ready()
        await self._git.fetch(
            *("fetch", "--depth=1", "--filter=blob:none", "--no-tags", "--no-write-fetch-head", "--quiet", "--"),
            *("origin", f"+{self._scope.ref}:{_TIP}"),
        )
        commit = (
            (await self._git.look("rev-parse", "--verify", "--end-of-options", f"{_TIP}^{{commit}}")).decode().strip()
        )
        since = await self._comparable(cursor)
        entries = [entry for entry in await self._entries(commit, since) if self._is_wanted(entry.path)]
        blobs = {entry.blob for entry in entries if entry.blob is not None and _is_readable(entry)}
        sizes = await self._sizes(blobs)
        if missing := sorted(blobs - sizes.keys()):
            await self._fetch_blobs(missing)
            sizes = await self._sizes(blobs)
        return commit, since, entries, sizes

    async def _ready(self) -> None:
        """An empty clone where there is none; in an old one, what a killed git left behind is taken away."""
        await self._blobs.aclose()
        packs = await asyncio.to_thread(_swept, self._clone)
        if packs is not None and packs <= _MOST_PACKS:
            return
        if packs is not None:
            await self._start_over()
        try:
            await asyncio.to_thread(self._clone.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{str(self._clone)!r} can't be made: {error.strerror}.") from error
        await self._git.look("init", "--bare", "--quiet", "--template=", ".")
        await self._git.look("config", "remote.origin.url", self._address.url)

    async def _start_over(self) -> None:
        await self._blobs.aclose()
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self._clone)

    async def _comparable(self, cursor: str | None) -> str | None:
        """The commit of `cursor`, if it can still be compared with."""
        commit, _, fingerprint = (cursor or "").partition(".")
        if fingerprint != self._fingerprint() or not re.fullmatch(r"[0-9a-f]{40,64}", commit):
            return None
        found = await self._git.look("cat-file", "--batch-check", "--batch-all-objects", "--unordered")
        return commit if f"{commit} commit " in found.decode() else None

    def _fingerprint(self) -> str:
        """Changes with whatever decides which files are wanted."""
        scope, limits = self._scope, self._limits
        decided = [self._folder, scope.include, scope.exclude, limits.max_bytes, sorted(SUPPORTED), sorted(NAMED)]
        return hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:16]

    async def _entries(self, commit: str, since: str | None) -> list[_Entry]:
        below = ["--", f"{self._folder}/"] if self._folder else []
        if self._folder:
            await self._refuse_missing_folder(commit)
        if since is None:
            told = await self._git.look("ls-tree", "-r", "-z", "--full-tree", commit, *below)
            return list(_listed(told))
        told = await self._git.look(
            "diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", since, commit, *below
        )
        return list(_compared(told))

    async def _refuse_missing_folder(self, commit: str) -> None:
        told = await self._git.look("ls-tree", "-d", "-z", "--full-tree", commit, "--", self._folder)
        if not told:
            raise SourceMisbehaves(
                f"{self._address.url!r} has no folder {self._folder!r} at {self._scope.ref!r}: check `folder`. Nothing is deleted."
            )

    def _is_wanted(self, path: str) -> bool:
        inside = self._inside(path)
        parts = inside.split("/")
        is_passed_over = any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in parts)
        return not is_passed_over and self._patterns.admit(inside)

    def _inside(self, path: str) -> str:
        return path[len(self._folder) + 1 :] if self._folder else path

    def _full(self, path: str) -> str:
        return f"{self._folder}/{path}" if self._folder else path

    async def _sizes(self, blobs: set[str]) -> dict[str, int]:
        """The sizes of those blobs that are here, in bytes. Asking for one that isn't would make git look for it elsewhere."""
        if not blobs:
            return {}
        told = await self._git.look("cat-file", "--batch-check", "--batch-all-objects", "--unordered")
        lines = (line.split(" ") for line in told.decode().splitlines())
        return {name: int(size) for name, kind, size in lines if kind == "blob" and name in blobs}

    async def _fetch_blobs(self, blobs: list[str]) -> None:
        for start in range(0, len(blobs), _BATCH):
            await self._git.fetch(
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--filter=blob:none", "--no-tags", "--quiet"),
                *("--no-write-fetch-head", "--stdin", "origin"),
                given="".join(f"{blob}\n" for blob in blobs[start : start + _BATCH]).encode(),
            )

    async def _change(self, entry: _Entry, sizes: dict[str, int]) -> Change:
        path = self._inside(entry.path)
        if entry.blob is None:
            return Gone(_shown(path))
        reason = _refusal(entry)
        if reason is not None:
            return Unlisted(_shown(path), reason, is_foreign=media_type(path) is None)
        size = sizes.get(entry.blob)
        if size is None:
            return Unlisted(path, "The repository didn't send it. Sync again; if it stays so, look at it there.")
        if size > self._limits.max_bytes:
            most = self._limits.max_bytes / 1e6
            return Unlisted(
                path, f"It has {size / 1e6:,.1f} MB; at most {most:,g} MB are read. Split it, or raise `max_file_mb`."
            )
        if size < _LFS_BYTES and (await self._blobs.read(entry.blob, most=_LFS_BYTES) or b"").startswith(_LFS):
            return Unlisted(
                path,
                "It lies in Git LFS: the repository holds only a pointer to it. Store it in git itself, or exclude it.",
            )
        return Listed(path=path, key=entry.blob, stamp=entry.blob, is_digest=True, size=size)


def _checked_folder(folder: str) -> str:
    bare = folder.strip("/")
    if bare and (bare.startswith("-") or _UNSAFE_NAME.search(bare) or {"", ".", ".."} & set(bare.split("/"))):
        raise InvalidInput(f"{folder!r} is no folder of a repository: write it from the top, as in 'docs/guides'.")
    return bare


def _listed(told: bytes) -> Iterator[_Entry]:
    """The files of `ls-tree -r -z`: `mode type id TAB path NUL`."""
    for line in _parted(told):
        about, _, path = line.partition("\t")
        mode, _, blob = about.split(" ")
        yield _Entry(path, mode, blob)


def _compared(told: bytes) -> Iterator[_Entry]:
    """The files of `diff-tree -r -z --raw`: `:mode mode id id status NUL path NUL`."""
    parts = _parted(told)
    for about in parts:
        path = next(parts)
        _, mode, _, blob, status = about.split(" ")
        yield _Entry(path, mode, None if status == "D" else blob)


def _parted(told: bytes) -> Iterator[str]:
    return iter(told.decode("utf-8", errors="surrogateescape").split("\0")[:-1])


def _shown(path: str) -> str:
    return path.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _is_readable(entry: _Entry) -> bool:
    return entry.mode in _FILES and _refusal(entry) is None


def _refusal(entry: _Entry) -> str | None:
    """Why it can't be a document, by its name and mode."""
    if media_type(entry.path) is None:
        return "It is in no format that Ken reads."
    if _shown(entry.path) != entry.path:
        return "Its name is not UTF-8. Rename it."
    if _UNSAFE_NAME.search(entry.path) or {"", ".", ".."} & set(entry.path.split("/")):
        return "Its name holds a character or a part that no path may have. Rename it."
    if entry.mode == _LINK:
        return "It is a link, and links of a repository are not followed. Put a file in its place."
    return (
        None if entry.mode in _FILES else "It is no file of this repository. Make what it leads to a source of its own."
    )


def _swept(clone: Path) -> int | None:
    """Take away the locks and half-written packs of a killed git; how many packs there are, None without a clone."""
    if not (clone / "HEAD").exists():
        return None
    packs = clone / "objects" / "pack"
    leftover: Iterable[Path] = [*clone.glob("*.lock"), *clone.glob("refs/**/*.lock"), *packs.glob("tmp_*")]
    for path in leftover:
        path.unlink(missing_ok=True)
    return len(list(packs.glob("*.pack")))


class _Blobs:
    """Reads blobs through one `git cat-file --batch`, which starts with the first and lives until it is closed."""

    def __init__(self, git: GitCommand, *, limit_s: float) -> None:
        self._git = git
        self._limit_s = limit_s
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, blob: str, *, most: int) -> bytes | None:
        """The content of a blob; None where it isn't here, or has more than `most` bytes."""
        async with self._turn:
            if self._process is None:
                self._process = await self._git.start("cat-file", "--batch")
            is_in_step = False
            try:
                async with asyncio.timeout(self._limit_s):
                    data = await self._asked(self._process, blob, most)
                is_in_step = data is not None
            except TimeoutError as error:
                raise Unreadable(
                    f"git took longer than {self._limit_s:g} s to read a file of the clone: sync again."
                ) from error
            finally:
                # After a failure or a cancelled read nobody knows where in its answer the process is.
                if not is_in_step:
                    await self._end()
        return data

    async def aclose(self) -> None:
        """End the process."""
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end(process)

    async def _asked(self, process: asyncio.subprocess.Process, blob: str, most: int) -> bytes | None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            process.stdin.write(f"{blob}\n".encode())
            await process.stdin.drain()
            header = (await process.stdout.readline()).decode().split()
            if len(header) != 3 or header[1] != "blob":  # noqa: PLR2004 - id, type and size
                return None
            size = int(header[2])
            return (await process.stdout.readexactly(size + 1))[:-1] if size <= most else None
        except (OSError, asyncio.IncompleteReadError):
            return None
