"""The bare, shallow, partial clone that a git source is read from.

It holds the newest commit, its folders, and the files that Ken reads, and nothing else: what was deleted in the repository,
or is no longer wanted, is taken out of the clone as well. It is a cache: where it is lost or broken, it is fetched again.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from ken.errors import StorageError, Unreadable
from ken.knowledge.sources.git_address import GitAddress
from ken.knowledge.sources.git_command import GitAccess, GitCommand, GitLimits, end

_TIP = "refs/ken/tip"
_BATCH = 5_000
_LOOSE = "[0-9a-f][0-9a-f]"
_IS_ID = re.compile(r"[0-9a-f]{40,64}")


def is_object_id(name: str) -> bool:
    """Whether it is the whole name of an object."""
    return _IS_ID.fullmatch(name) is not None


class GitClone:
    """A clone in `folder`, which is its own. Raises as a connector does, and CloneBroken where git fails for no known reason."""

    def __init__(self, folder: Path, *, address: GitAddress, access: GitAccess, limits: GitLimits) -> None:
        self._folder = folder
        self._address = address
        self._limit_s = limits.read_s
        self._git = GitCommand(folder, address=address, access=access, limits=limits)
        self._reader: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def update(self, ref: str) -> str:
        """Fetch the newest commit of `ref` with its folders, and return its id."""
        await self._prepare()
        await self._git.fetch(
            *("fetch", "--depth=1", "--filter=blob:none", "--no-tags", "--no-write-fetch-head", "--quiet", "--"),
            *("origin", f"+{ref}:{_TIP}"),
        )
        return (
            (await self._git.look("rev-parse", "--verify", "--end-of-options", f"{_TIP}^{{commit}}")).decode().strip()
        )

    async def has_commit(self, commit: str) -> bool:
        """Whether the commit is here."""
        return (await self._objects()).get(commit, ("", 0))[0] == "commit"

    async def has_folder(self, commit: str, folder: str) -> bool:
        """Whether the commit has the folder."""
        return bool(await self._git.look("ls-tree", "-d", "-z", "--full-tree", commit, "--", folder))

    async def tree(self, commit: str, folder: str) -> bytes:
        """All files of a commit below a folder, as `ls-tree -r -z` says it."""
        below = ["--", f"{folder}/"] if folder else []
        return await self._git.look("ls-tree", "-r", "-z", "--full-tree", commit, *below)

    async def difference(self, since: str, commit: str, *, folder: str) -> bytes:
        """What changed between two commits below a folder, as `diff-tree -r -z --raw` says it."""
        below = ["--", f"{folder}/"] if folder else []
        return await self._git.look(
            "diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", since, commit, *below
        )

    async def sizes(self, blobs: set[str]) -> dict[str, int]:
        """The sizes in bytes of those blobs that could be had; what isn't here is fetched, all at once."""
        found = await self._present(blobs)
        if missing := sorted(blobs - found.keys()):
            await self._fetch_blobs(missing)
            found = await self._present(blobs)
        return found

    async def read(self, blob: str, *, most: int) -> bytes | None:
        """The content of a blob that is here; None where it isn't, or has more than `most` bytes."""
        async with self._turn:
            if self._reader is None:
                self._reader = await self._git.start("cat-file", "--batch")
            is_in_step = False
            try:
                async with asyncio.timeout(self._limit_s):
                    data = await _asked(self._reader, blob, most)
                is_in_step = data is not None
            except TimeoutError as error:
                raise Unreadable(
                    f"git took longer than {self._limit_s:g} s to read a file of the clone: sync again."
                ) from error
            finally:
                # After a failure or a cancelled read nobody knows where in its answer the process is.
                if not is_in_step:
                    await self._end_reader()
        return data

    async def recover(self, blob: str) -> None:
        """Fetch a blob that is not here, as far as the repository still gives it."""
        await self._prepare()
        await self._fetch_blobs([blob])

    async def keep_only(self, commit: str, blobs: set[str]) -> None:
        """Take out whatever is neither the commit, nor one of its folders, nor one of the blobs."""
        present = await self._objects()
        listed = await self._git.look(
            "rev-list", "--objects", "--filter=blob:none", "--no-object-names", "--no-walk", commit
        )
        tip = (await self._git.look("rev-parse", _TIP)).decode().strip()
        wanted = (set(listed.decode().split()) | {tip} | blobs) & present.keys()
        if wanted == present.keys():
            return
        given = "".join(f"{name}\n" for name in sorted(wanted)).encode()
        told = await self._git.look("pack-objects", "--quiet", "objects/pack/pack", given=given)
        await self.aclose()  # it holds the old packs open
        await asyncio.to_thread(_leave, self._folder, told.decode().strip(), commit)

    async def start_over(self) -> None:
        """Delete the clone."""
        await self.aclose()
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self._folder)

    async def aclose(self) -> None:
        """End the process that reads files."""
        async with self._turn:
            await self._end_reader()

    async def _prepare(self) -> None:
        """An empty clone where there is none of this address; in an old one, what a killed git left behind is taken away."""
        await self.aclose()
        if await asyncio.to_thread(_swept, self._folder):
            address = await self._git.look("config", "--get", "remote.origin.url")
            if address.decode(errors="replace").strip() == self._address.url:
                return
            await self.start_over()
        try:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{str(self._folder)!r} can't be made: {error.strerror}.") from error
        await self._git.look("init", "--bare", "--quiet", "--template=", ".")
        await self._git.look("config", "remote.origin.url", self._address.url)

    async def _objects(self) -> dict[str, tuple[str, int]]:
        """Kind and size of each object that is here. Asking for one that isn't would make git look for it elsewhere."""
        told = await self._git.look("cat-file", "--batch-check", "--batch-all-objects", "--unordered")
        lines = (line.split(" ") for line in told.decode().splitlines())
        return {name: (kind, int(size)) for name, kind, size in lines}

    async def _present(self, blobs: set[str]) -> dict[str, int]:
        if not blobs:
            return {}
        objects = await self._objects()
        return {blob: objects[blob][1] for blob in blobs if blob in objects}

    async def _fetch_blobs(self, blobs: list[str]) -> None:
        for start in range(0, len(blobs), _BATCH):
            await self._git.fetch(
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--filter=blob:none", "--no-tags", "--quiet"),
                *("--no-write-fetch-head", "--stdin", "origin"),
                given="".join(f"{blob}\n" for blob in blobs[start : start + _BATCH]).encode(),
            )

    async def _end_reader(self) -> None:
        process, self._reader = self._reader, None
        if process is not None:
            await end(process)


async def _asked(process: asyncio.subprocess.Process, blob: str, most: int) -> bytes | None:
    """Ask `cat-file --batch` for a blob."""
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


def _swept(clone: Path) -> bool:
    """Take away the locks and half-written packs of a killed git; whether there is a clone at all."""
    if not (clone / "HEAD").exists():
        return False
    _delete([*clone.glob("*.lock"), *clone.glob("refs/**/*.lock"), *clone.glob("objects/pack/tmp_*")])
    return True


def _leave(clone: Path, name: str, commit: str) -> None:
    """Of all objects, leave those of one new pack. An index goes before its pack, without which git would stumble over it."""
    packs = clone / "objects" / "pack"
    # Marked as fetched from a repository that has the rest.
    (packs / f"pack-{name}.promisor").touch()
    old = [path for path in packs.iterdir() if path.stem != f"pack-{name}"]
    _delete(sorted(old, key=lambda path: (path.suffix == ".pack", path.suffix != ".idx")))
    for folder in (clone / "objects").glob(_LOOSE):
        shutil.rmtree(folder)
    shallow = clone / "shallow"
    if shallow.exists() and commit in shallow.read_text("ascii").split():
        shallow.write_text(f"{commit}\n", "ascii")


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
