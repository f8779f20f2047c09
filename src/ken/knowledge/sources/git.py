"""A git repository as a source: one branch, tag or commit of it, or one folder of that.

Files are read from a clone by their content's id and never checked out, so that no name, link, hook or filter of the
repository does anything on this machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ken.errors import InvalidInput, SourceMisbehaves, Unreadable
from ken.knowledge.parse.formats import NAMED, SUPPORTED, media_type
from ken.knowledge.sources.git_address import git_address
from ken.knowledge.sources.git_clone import GitClone, is_object_id
from ken.knowledge.sources.git_command import CloneBroken, GitAccess, GitLimits
from ken.knowledge.sources.patterns import PathPatterns
from ken.knowledge.sources.source import Change, Complete, Fetched, Gone, Listed, Unlisted

_REF = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\+]{1,200}(?<![/.])")
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f\\]")
_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1_024
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

    `cache` is a folder for this source alone, where the clone is kept from sync to sync. Raises InvalidInput for what can't be used
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
        self._clone = GitClone(cache / "clone.git", address=self._address, access=access, limits=limits)

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
            await self._clone.start_over()
            try:
                commit, since, entries, sizes = await self._fetched(cursor)
            except CloneBroken as error:
                raise SourceMisbehaves(f"{error} A new clone didn't help.") from error
        for entry in entries:
            yield await self._change(entry, sizes)
        if commit != since:
            await self._forget_the_rest(commit)
        yield Complete(cursor=f"{commit}.{self._fingerprint()}", is_whole=since is None)

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one file, as it was when it was listed."""
        blob = listed.key
        if not is_object_id(blob):
            raise Unreadable(f"{listed.path!r} has no key that names a file in a repository: sync again.")
        try:
            data = await self._clone.read(blob, most=self._limits.max_bytes)
            if data is None:
                await self._clone.recover(blob)
                data = await self._clone.read(blob, most=self._limits.max_bytes)
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
        await self._clone.aclose()

    async def _fetched(self, cursor: str | None) -> tuple[str, str | None, list[_Entry], dict[str, int]]:
        """Fetch what is new: the commit, the one to compare it with, the files that are wanted, their sizes by blob."""
        commit = await self._clone.update(self._scope.ref)
        if self._folder and not await self._clone.has_folder(commit, self._folder):
            raise SourceMisbehaves(
                f"{self._address.url!r} has no folder {self._folder!r} at {self._scope.ref!r}: check `folder`. Nothing is deleted."
            )
        since = await self._comparable(cursor)
        if since is None:
            entries = await self._all_entries(commit)
        else:
            told = await self._clone.difference(since, commit, folder=self._folder)
            entries = [entry for entry in _compared(told) if self._is_wanted(entry.path)]
        return commit, since, entries, await self._clone.sizes(_blobs(entries))

    async def _all_entries(self, commit: str) -> list[_Entry]:
        return [entry for entry in _listed(await self._clone.tree(commit, self._folder)) if self._is_wanted(entry.path)]

    async def _comparable(self, cursor: str | None) -> str | None:
        """The commit of `cursor`, if it can still be compared with."""
        commit, _, fingerprint = (cursor or "").partition(".")
        if fingerprint != self._fingerprint() or not is_object_id(commit):
            return None
        return commit if await self._clone.has_commit(commit) else None

    async def _forget_the_rest(self, commit: str) -> None:
        """What was deleted or changed in the repository, or is no longer wanted, doesn't stay in the clone either."""
        try:
            await self._clone.keep_only(commit, _blobs(await self._all_entries(commit)))
        except CloneBroken:
            await self._clone.start_over()

    def _fingerprint(self) -> str:
        """Changes with whatever decides which files are wanted."""
        scope, limits = self._scope, self._limits
        decided = [self._folder, scope.include, scope.exclude, limits.max_bytes, sorted(SUPPORTED), sorted(NAMED)]
        return hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:16]

    def _is_wanted(self, path: str) -> bool:
        inside = self._inside(path)
        parts = inside.split("/")
        is_passed_over = any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in parts)
        return not is_passed_over and self._patterns.admit(inside)

    def _inside(self, path: str) -> str:
        return path[len(self._folder) + 1 :] if self._folder else path

    def _full(self, path: str) -> str:
        return f"{self._folder}/{path}" if self._folder else path

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
        if size < _LFS_BYTES and (await self._clone.read(entry.blob, most=_LFS_BYTES) or b"").startswith(_LFS):
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


def _blobs(entries: Iterable[_Entry]) -> set[str]:
    """The contents of those that can be documents."""
    return {entry.blob for entry in entries if entry.blob is not None and _refusal(entry) is None}


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
