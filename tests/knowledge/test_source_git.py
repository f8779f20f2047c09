from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.git import GitConnector, GitScope
from ken.knowledge.sources.git_address import git_address
from ken.knowledge.sources.git_command import GitAccess, GitLimits
from ken.knowledge.sources.patterns import PathPatterns
from ken.knowledge.sources.source import Change, Complete, Gone, Listed, Unlisted
from tests.knowledge.repositories import Repository, Site, serving

LOCAL = GitAccess(allow_local=True)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "team" / "docs.git")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


async def listed(source: GitConnector, cursor: str | None = None) -> tuple[list[Change], Complete]:
    """What a listing says, and its end."""
    *changes, last = [change async for change in source.changes(cursor)]
    assert isinstance(last, Complete)
    return changes, last


async def contents(source: GitConnector, changes: list[Change]) -> dict[str, bytes]:
    """The text of each document that was listed."""
    return {change.path: (await source.fetch(change)).data for change in changes if isinstance(change, Listed)}


def below(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_branch_is_read_without_being_checked_out(repository: Repository, cache: Path) -> None:
    """Every readable file is listed with its size, a stamp of its content, and its bytes as committed."""
    repository.commit({"readme.md": "# Hi\n", "guides/ü/leave.txt": "x\n", ".github/a.md": "no", "logo.png": "p"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    changes, end = await listed(source)
    assert await contents(source, changes) == {"readme.md": b"# Hi\n", "guides/ü/leave.txt": b"x\n"}
    assert [(each.path, each.size, len(each.stamp or "")) for each in changes if isinstance(each, Listed)] == [
        ("guides/ü/leave.txt", 2, 40),
        ("readme.md", 5, 40),
    ]
    assert [(each.path, each.is_foreign) for each in changes if isinstance(each, Unlisted)] == [("logo.png", True)]
    assert end.is_whole
    assert not {path.name for path in below(cache)} & {"readme.md", "leave.txt", "logo.png"}
    await source.aclose()


async def test_only_what_changed_is_listed_after_that(repository: Repository, cache: Path) -> None:
    """Between two commits: what was added and edited, what was deleted, a rename as both; then nothing."""
    repository.commit({"a.md": "a\n", "b.md": "b\n", "c.md": "c\n", "d.md": "d\n"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    _, first = await listed(source)
    repository.commit({"a.md": "changed\n", "b.md": None, "c.md": None, "moved/c.md": "c\n", "e.md": "e\n"})
    changes, second = await listed(source, first.cursor)
    assert await contents(source, changes) == {"a.md": b"changed\n", "moved/c.md": b"c\n", "e.md": b"e\n"}
    assert [each for each in changes if isinstance(each, Gone)] == [Gone("b.md"), Gone("c.md")]
    assert not second.is_whole
    assert await listed(source, second.cursor) == ([], second)
    await source.aclose()


async def test_a_forced_push_is_compared_by_content(repository: Repository, cache: Path) -> None:
    """A rewritten branch gives the differences; without the old clone, or with other settings, everything."""
    repository.commit({"a.md": "a\n"})
    kept = repository.commit({"b.md": "b\n"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    _, first = await listed(source)
    repository.git("reset", "--quiet", "--hard", f"{kept}~1")
    repository.commit({"c.md": "c\n"})
    changes, second = await listed(source, first.cursor)
    assert [type(each).__name__ + each.path for each in changes if not isinstance(each, Complete)] == [
        "Goneb.md",
        "Listedc.md",
    ]

    narrowed = GitConnector(repository.url, cache=cache, access=LOCAL, scope=GitScope(exclude=("c.md",)))
    changes, end = await listed(narrowed, second.cursor)
    assert (list(await contents(narrowed, changes)), end.is_whole) == (["a.md"], True)
    shutil.rmtree(cache)
    changes, end = await listed(source, first.cursor)
    assert (list(await contents(source, changes)), end.is_whole) == (["a.md", "c.md"], True)
    await source.aclose()
    await narrowed.aclose()


async def test_a_folder_of_a_branch_is_a_source(repository: Repository, cache: Path) -> None:
    """Paths begin in the folder; patterns choose among them; a tag and a commit are named like a branch."""
    commit = repository.commit(
        {"docs/a.md": "old", "docs/drafts/b.md": "b", "docs/deep/c.html": "c", "other/d.md": "d"}
    )
    repository.git("tag", "--annotate", "--message", "one", "v1")
    repository.git("checkout", "--quiet", "-b", "next")
    repository.commit({"docs/a.md": "new"})
    scope = GitScope(ref="next", folder="/docs/", include=("**/*.md",), exclude=("drafts",))
    source = GitConnector(repository.url, cache=cache, access=LOCAL, scope=scope)
    changes, _ = await listed(source)
    assert await contents(source, changes) == {"a.md": b"new"}
    await source.aclose()
    for ref in ("v1", commit):
        source = GitConnector(repository.url, cache=cache, access=LOCAL, scope=GitScope(ref=ref, folder="docs"))
        changes, _ = await listed(source)
        assert (await contents(source, changes))["a.md"] == b"old"
        await source.aclose()


async def test_what_is_not_wanted_is_not_downloaded(repository: Repository, cache: Path) -> None:
    """Pictures, other folders and old versions stay where they are."""
    for _ in range(3):
        repository.commit({"docs/picture.png": os.urandom(400_000), "other/big.txt": os.urandom(300_000).hex()})
    repository.commit({"docs/a.md": "a"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL, scope=GitScope(folder="docs"))
    changes, _ = await listed(source)
    assert await contents(source, changes) == {"a.md": b"a"}
    assert sum(path.stat().st_size for path in below(cache)) < 100_000
    await source.aclose()


def blobs_in(repository: Repository, cache: Path) -> set[str]:
    """The contents that lie in the clone."""
    told = repository.git(f"--git-dir={cache / 'clone.git'}", "cat-file", "--batch-all-objects", "--batch-check")
    return {line.split()[0] for line in told.splitlines() if " blob " in line}


async def test_what_was_deleted_leaves_the_clone(repository: Repository, cache: Path) -> None:
    """After a sync the clone holds the files as they are now: none that was deleted, changed, or is wanted no more."""
    repository.git("config", "uploadpack.allowFilter", "false")  # a site that always sends everything
    repository.commit({"a.md": "a", "b.md": "b", "c.md": "c", "picture.png": "p"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    _, first = await listed(source)
    assert blobs_in(repository, cache) == {repository.git("rev-parse", f"HEAD:{name}.md") for name in "abc"}
    repository.commit({"a.md": "changed", "b.md": None})
    changes, second = await listed(source, first.cursor)
    assert blobs_in(repository, cache) == {repository.git("rev-parse", f"HEAD:{name}.md") for name in "ac"}
    assert await contents(source, changes) == {"a.md": b"changed"}
    await source.aclose()
    narrowed = GitConnector(repository.url, cache=cache, access=LOCAL, scope=GitScope(exclude=("c.md",)))
    changes, third = await listed(narrowed, second.cursor)
    assert blobs_in(repository, cache) == {repository.git("rev-parse", "HEAD:a.md")}
    repository.commit({"d.md": "d"})
    changes, end = await listed(narrowed, third.cursor)
    assert (await contents(narrowed, changes), end.is_whole) == ({"d.md": b"d"}, False)
    await narrowed.aclose()


async def test_what_cannot_be_taken_is_said(repository: Repository, cache: Path) -> None:
    """Links, files over the limit, pointers to large files, submodules and names that aren't text each have their words."""
    secret = repository.place.parent / "secret.md"
    secret.write_text("secret")
    (repository.place / "link.md").symlink_to(secret)
    (repository.place / "linked").symlink_to(secret.parent)
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module.md")
    (repository.place / os.fsdecode(b"caf\xe9.md")).write_text("x")
    (repository.place / "module.md").mkdir()
    repository.commit({"lfs.md": POINTER, "big.md": "x" * 2_001, "fine.md": "x" * 2_000})
    source = GitConnector(repository.url, cache=cache, access=LOCAL, limits=GitLimits(max_bytes=2_000))
    changes, _ = await listed(source)
    refused = {each.path: each.reason for each in changes if isinstance(each, Unlisted) and not each.is_foreign}
    assert list(await contents(source, changes)) == ["fine.md"]
    assert {path: next(word for word in WORDS if word in reason) for path, reason in refused.items()} == {
        "link.md": "link",
        "big.md": "MB",
        "lfs.md": "Git LFS",
        "module.md": "no file of this repository",
        "caf\ufffd.md": "not UTF-8",
    }
    await source.aclose()


WORDS = ("link", "Git LFS", "MB", "not UTF-8", "no file of this repository")


async def test_a_clone_that_was_killed_or_broken_is_made_anew(repository: Repository, cache: Path) -> None:
    """Locks, half-written packs, lost and damaged files of the clone cost a fetch and nothing else."""
    repository.commit({"a.md": "a"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    _, first = await listed(source)
    clone = next(path.parent for path in below(cache) if path.name == "HEAD")
    (clone / "shallow.lock").touch()
    (clone / "refs" / "ken" / "tip.lock").touch()
    (clone / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    repository.commit({"a.md": "b"})
    changes, second = await listed(source, first.cursor)
    assert (await contents(source, changes), second.is_whole) == ({"a.md": b"b"}, False)
    for harm in (path for path in below(clone) if "objects" in path.parts or path.name in {"config", "HEAD"}):
        harm.chmod(0o600)
        harm.write_bytes(b"garbage")
    changes, third = await listed(source, first.cursor)
    assert (await contents(source, changes), third.is_whole) == ({"a.md": b"b"}, True)
    shutil.rmtree(cache)
    assert await contents(source, changes) == {"a.md": b"b"}
    await source.aclose()


async def test_a_document_that_is_nowhere_any_more_fails_alone(repository: Repository, cache: Path) -> None:
    """An id that the repository doesn't know raises Unreadable, and the next document is read."""
    repository.commit({"a.md": "a"})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    changes, _ = await listed(source)
    for key in ("1" * 40, "", "--help", "HEAD:a.md"):
        with pytest.raises(Unreadable, match=r"lost\.md"):
            await source.fetch(Listed(path="lost.md", key=key))
    assert await contents(source, changes) == {"a.md": b"a"}
    await source.aclose()


async def test_reads_that_are_cancelled_or_overlap_do_not_mix(repository: Repository, cache: Path) -> None:
    """Each document gets its own bytes, whoever gave up before."""
    repository.commit({f"{number}.md": f"{number}" * 50_000 for number in range(10)})
    source = GitConnector(repository.url, cache=cache, access=LOCAL)
    changes, _ = await listed(source)
    documents = [change for change in changes if isinstance(change, Listed)]
    given_up = asyncio.create_task(source.fetch(documents[0]))
    await asyncio.sleep(0)
    given_up.cancel()
    read = await asyncio.gather(*(source.fetch(document) for document in documents))
    assert [each.data for each in read] == [document.path[0].encode() * 50_000 for document in documents]
    await source.aclose()


async def test_a_wrong_branch_or_folder_deletes_nothing(repository: Repository, cache: Path, tmp_path: Path) -> None:
    """A name that the repository doesn't have, an empty repository and a lost one are errors, not empty listings."""
    repository.commit({"docs/a.md": "a"})
    for scope, word in ((GitScope(ref="nowhere"), "ref"), (GitScope(folder="nowhere"), "folder")):
        source = GitConnector(repository.url, cache=cache, access=LOCAL, scope=scope)
        with pytest.raises(SourceMisbehaves, match=f"check `{word}`"):
            await listed(source)
    empty = Repository(tmp_path / "empty")
    with pytest.raises(SourceMisbehaves, match="no such branch"):
        await listed(GitConnector(empty.url, cache=cache, access=LOCAL))
    with pytest.raises(SourceDenied, match="no repository"):
        await listed(GitConnector((tmp_path / "nowhere").as_uri(), cache=cache, access=LOCAL))


async def test_a_token_opens_a_private_repository(repository: Repository, cache: Path, tmp_path: Path) -> None:
    """The right token reads; none, or a wrong one, is denied, and it stands neither in errors nor on the disk."""
    repository.commit({"a.md": "a"})
    async with serving(Site(tmp_path, token="tok-12345")) as site:
        url = f"{site.url}/team/docs.git"
        source = GitConnector(url, cache=cache, access=GitAccess(token="tok-12345"))
        changes, _ = await listed(source)
        assert await contents(source, changes) == {"a.md": b"a"}
        assert "tok-12345" not in source.location
        await source.aclose()
        for token in (None, "tok-wrong"):
            with pytest.raises(SourceDenied, match="check the token") as denied:
                await listed(GitConnector(url, cache=tmp_path / "other", access=GitAccess(token=token)))
            assert "tok-wrong" not in str(denied.value)
    kept = b"".join(path.read_bytes() for path in below(cache))
    assert b"tok-12345" not in kept
    assert "tok-12345" not in repr(GitAccess(token="tok-12345"))


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (503, SourceDown, "tried again"),
        (429, SourceDown, "tried again"),
        (403, SourceDenied, "check the token"),
        (404, SourceDenied, "no repository"),
        (301, SourceMisbehaves, "another address"),
    ],
)
async def test_a_site_that_fails_says_how(
    cache: Path, tmp_path: Path, status: int, error: type[Exception], words: str
) -> None:
    """Each status of a site becomes the error that says whether to wait, to mend the token or the address."""
    async with serving(Site(tmp_path, failure=status)) as site:
        with pytest.raises(error, match=words):
            await listed(GitConnector(f"{site.url}/team/docs.git", cache=cache, access=GitAccess(token="t")))
        assert all("elsewhere" not in request for request in site.requests)
    if status == 503:
        with pytest.raises(SourceDown, match="can't be reached"):
            await listed(GitConnector(f"{site.url}/team/docs.git", cache=cache))


async def test_git_that_never_ends_is_ended(cache: Path) -> None:
    """A site that takes the connection and says nothing costs the time limit, no more."""
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await asyncio.sleep(60)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        source = GitConnector(f"http://127.0.0.1:{port}/x.git", cache=cache, limits=GitLimits(fetch_s=0.5))
        with pytest.raises(SourceDown, match=r"longer than 0\.5 s"):
            await listed(source)
        assert held
        for writer in held:
            writer.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "--upload-pack=touch x",
        "ext::sh -c true",
        "ext://sh",
        "https://user:secret@example.org/x.git",
        "https:///x.git",
        "https://example.org/x\n.git",
        "fd://3",
    ],
)
def test_an_address_that_could_do_harm_is_refused(cache: Path, url: str) -> None:
    """Options, protocols that run commands and addresses with passwords never reach git; the password is not repeated."""
    with pytest.raises(InvalidInput) as refused:
        GitConnector(url, cache=cache)
    assert "secret" not in str(refused.value)


def test_settings_that_could_do_harm_are_refused(cache: Path, tmp_path: Path) -> None:
    """Names that look like options, paths that lead up, folders of this machine and open tokens are refused."""
    for scope in (
        GitScope(ref="--all"),
        GitScope(ref="a:b"),
        GitScope(ref="a..b"),
        GitScope(folder="../x"),
        GitScope(folder="-x"),
        GitScope(include=("/etc/*",)),
        GitScope(exclude=("",)),
    ):
        with pytest.raises(InvalidInput):
            GitConnector("https://example.org/x.git", cache=cache, scope=scope)
    with pytest.raises(InvalidInput, match="allow_local"):
        GitConnector(str(tmp_path), cache=cache)
    with pytest.raises(InvalidInput, match="use https"):
        GitConnector("http://example.org/x.git", cache=cache, access=GitAccess(token="t"))


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://github.com/team/docs.git", "https://github.com/team/docs/blob/main/a%20b/c.md"),
        (
            "git@gitlab.example.org:group/sub/docs.git",
            "https://gitlab.example.org/group/sub/docs/-/blob/main/a%20b/c.md",
        ),
        ("ssh://git@bitbucket.org/team/docs", "https://bitbucket.org/team/docs/src/main/a%20b/c.md"),
        ("https://github.com/team/docs.wiki.git", "https://github.com/team/docs/wiki/a%20b/c"),
        ("https://example.org/team/docs.git", None),
        ("https://notgithub.example.org/team/docs.git", None),
    ],
)
def test_people_are_led_to_the_page_of_a_file(url: str, page: str | None) -> None:
    """Sites whose pages are known give a link; others give none."""
    assert git_address(url).page("a b/c.md", ref="main") == page


@pytest.mark.parametrize(
    ("pattern", "admitted", "refused"),
    [
        ("docs/*.md", "docs/a.md", "docs/a/b.md"),
        ("**/*.md", "a/b/c.md", "a/b/c.txt"),
        ("**/*.md", "c.md", "cmd"),
        ("docs", "docs/a/b.md", "docs2/a.md"),
        ("docs/**", "docs/a/b.md", "docs"),
        ("a/**/z.md", "a/z.md", "b/z.md"),
        ("[!a]?.md", "bc.md", "ab.md"),
        ("a.md", "a.md", "aXmd"),
    ],
)
def test_patterns_choose_paths(pattern: str, admitted: str, refused: str) -> None:
    """`*` stays within a part, `**` goes over parts, a folder's pattern holds for all below it."""
    assert (PathPatterns([pattern]).admit(admitted), PathPatterns([pattern]).admit(refused)) == (True, False)
    assert (PathPatterns([], [pattern]).admit(admitted), PathPatterns([], [pattern]).admit(refused)) == (False, True)
