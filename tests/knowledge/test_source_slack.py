from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ken.domain.document import Metadata
from ken.errors import SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.slack import SlackConnector
from ken.knowledge.sources.slack_archive import HIGHEST_RATIO
from ken.knowledge.sources.slack_text import SlackNames, slack_markdown
from ken.knowledge.sources.source import Complete, Listed, Unlisted

Json = Mapping[str, object] | list[Mapping[str, object]]

# 2026-02-01 10:00:00 UTC, and the day after.
FIRST, NEXT = 1769940000, 1770026400


def said(text: str, at: float, **more: object) -> Mapping[str, object]:
    """A message of Ann's."""
    return {"type": "message", "user": "U1", "text": text, "ts": f"{at:.6f}", **more}


FILES: dict[str, Json] = {
    "users.json": [
        {"id": "U1", "name": "ann", "profile": {"display_name": "Ann", "real_name": "Ann Example"}},
        {"id": "U2", "name": "bo", "deleted": True, "profile": {"display_name": "", "real_name": "Bo *Li*"}},
    ],
    "channels.json": [{"id": "C1", "name": "general", "members": ["U1"]}, {"id": "C9", "name": "both"}],
    "groups.json": [{"id": "G1", "name": "board", "members": ["U1"]}, {"id": "G9", "name": "both"}],
    "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
    "mpims.json": [{"id": "G2", "name": "mpdm-ann--bo--cy-1", "members": ["U1", "U2", "U3"]}],
    "integration_logs.json": [],
    "general/2026-02-01.json": [
        said("How many days of leave, <@U2>? See <#C1> &amp; <#G1|board>.", FIRST, thread_ts=f"{FIRST}.000000",
             reply_count=2, replies=[{"user": "U2", "ts": f"{FIRST + 60}.000000"}, {"user": "U1", "ts": f"{NEXT}.000000"}]),
        {"type": "message", "subtype": "channel_join", "user": "U2", "text": "<@U2> has joined", "ts": f"{FIRST + 1}.0"},
        said("*Ten*, by <https://example.org/rules|the rules>", FIRST + 60, user="U2", thread_ts=f"{FIRST}.000000",
             edited={"user": "U2", "ts": f"{FIRST + 120}.000000"}),
        said("Lunch?", FIRST + 200),
        said("", FIRST + 201, files=[{"id": "F1", "name": "menu.pdf"}, {"id": "F2", "mode": "tombstone"}]),
        said("Wrong room", FIRST + 202),
        {"type": "message", "subtype": "bot_message", "username": "Deploys", "bot_id": "B1", "text": "", "ts": f"{FIRST + 203}.0",
         "attachments": [{"title": "Build 7", "text": "passed", "fields": [{"title": "Branch", "value": "main"}]}]},
        {"type": "message", "subtype": "tombstone", "user": "U1", "text": "This message was deleted.", "ts": f"{FIRST + 204}.0"},
    ],
    "general/2026-02-02.json": [
        said("Thanks!", NEXT, thread_ts=f"{FIRST}.000000"),
        {"type": "message", "subtype": "message_deleted", "deleted_ts": f"{FIRST + 202}.000000", "ts": f"{NEXT + 1}.000000"},
        {"type": "message", "subtype": "message_changed", "ts": f"{NEXT + 2}.000000", "message": said("Lunch at one?", FIRST + 200)},
    ],
    "board/2026-02-01.json": [said("The secret plan", FIRST)],
    "both/2026-02-01.json": [said("Whose?", FIRST)],
    "D1/2026-02-01.json": [said("Between us", FIRST)],
    "mpdm-ann--bo--cy-1/2026-02-01.json": [said("Among three", FIRST)],
    "unlisted/2026-02-01.json": [said("Nobody knows this room", FIRST)],
    "general/canvas.json": [],
}  # fmt: skip


def written(place: Path, files: Mapping[str, Json | bytes], *, top: str = "") -> Path:
    """A ZIP archive with these files."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(top + name, content if isinstance(content, bytes) else json.dumps(content))
    return place


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return written(tmp_path / "export.zip", FILES)


async def listed(source: SlackConnector) -> tuple[dict[str, Listed], dict[str, str]]:
    """The documents by path, and what was refused, with its reason."""
    *changes, last = [change async for change in source.changes(None)]
    assert last == Complete(cursor=None, is_whole=True)
    refused = {change.path: change.reason for change in changes if isinstance(change, Unlisted)}
    return {change.path: change for change in changes if isinstance(change, Listed)}, refused


async def read(source: SlackConnector, path: str) -> str:
    """The text of a document."""
    return (await source.fetch(Listed(path=path, key=path))).data.decode()


THREAD = f"general/2026-02-01/thread-{FIRST}.000000.md"


async def test_a_thread_is_a_document(export: Path) -> None:
    """It holds its answers of all days in order, with names, times, links and mentions as people see them."""
    source = SlackConnector(export, workspace_url="https://example.slack.com/")
    rows, _ = await listed(source)
    fetched = await source.fetch(rows[THREAD])
    assert fetched.data.decode() == (
        "# #general: How many days of leave, @Bo *Li*? See #general & a private channel.\n\n"
        "**Ann** (2026-02-01 10:00 UTC): How many days of leave, @Bo *Li*? See #general & a private channel.\n\n"
        "**Bo Li** (2026-02-01 10:01 UTC, edited 2026-02-01 10:02 UTC): Ten, by [the rules](https://example.org/rules)\n\n"
        "**Ann** (2026-02-02 10:00 UTC): Thanks!\n"
    ).replace("*Li*", "\\*Li\\*")
    assert fetched.about == Metadata(
        title="#general: How many days of leave, @Bo *Li*? See #general & a private channel.", modified="2026-02-02"
    )
    assert fetched.url == f"https://example.slack.com/archives/C1/p{FIRST}000000"
    await source.aclose()


async def test_a_day_of_a_channel_is_a_document(export: Path) -> None:
    """What was said outside of threads stands together; joins and deletions are gone, edits made later hold, bots are named."""
    source = SlackConnector(export)
    assert await read(source, "general/2026-02-01/messages.md") == (
        "# #general, 2026-02-01\n\n"
        "**Ann** (2026-02-01 10:03 UTC): Lunch at one?\n\n"
        "**Ann** (2026-02-01 10:03 UTC): Files: menu.pdf\n\n"
        "**Deploys (bot)** (2026-02-01 10:03 UTC):\n\n> Build 7  \n> passed  \n> Branch: main\n"
    )
    rows, refused = await listed(source)
    assert sorted(path for path in rows if path.startswith("general/")) == ["general/2026-02-01/messages.md", THREAD]
    assert list(refused) == ["general/canvas.json"]
    await source.aclose()


async def test_what_was_private_stays_private(export: Path) -> None:
    """Only a channel that is listed as public and nowhere else is for everyone; all others carry their group."""
    source = SlackConnector(export)
    rows, _ = await listed(source)
    groups = {path.partition("/")[0]: await source.permissions(row) for path, row in rows.items()}
    assert groups == {
        "general": None,
        "board": {"slack:board"},
        "both": {"slack:both"},
        "D1": {"slack:D1"},
        "mpdm-ann--bo--cy-1": {"slack:mpdm-ann--bo--cy-1"},
        "unlisted": {"slack:unlisted"},
    }
    assert (await read(source, "D1/2026-02-01/messages.md")).startswith(
        "# Direct messages of Ann, Bo \\*Li\\*, 2026-02-01\n"
    )
    await source.aclose()


async def test_a_lost_list_opens_nothing(tmp_path: Path) -> None:
    """Where the list of public channels is broken, every channel is private, and the list is reported."""
    source = SlackConnector(written(tmp_path / "x.zip", {**FILES, "channels.json": b"{"}))
    rows, refused = await listed(source)
    assert await source.permissions(rows[THREAD]) == {"slack:general"}
    assert "not JSON" in refused["channels.json"]
    await source.aclose()


async def test_a_folder_is_read_like_its_archive(export: Path, tmp_path: Path) -> None:
    """Unpacked, and with a folder around it, the same documents have the same stamps."""
    with zipfile.ZipFile(export) as archive:
        archive.extractall(tmp_path / "unpacked")
    stamps: list[dict[str, str | None]] = []
    for place in (export, tmp_path / "unpacked", written(tmp_path / "inner.zip", FILES, top="Export Feb 2026/")):
        source = SlackConnector(place)
        rows, _ = await listed(source)
        stamps.append({path: row.stamp for path, row in rows.items()})
        assert "Thanks!" in await read(source, THREAD)
        await source.aclose()
    assert stamps[0] == stamps[1] == stamps[2]


async def test_a_new_answer_changes_one_document(export: Path) -> None:
    """In the next export, only the thread that was answered has another stamp."""
    source = SlackConnector(export)
    before, _ = await listed(source)
    later = [*FILES["general/2026-02-02.json"], said("One more", NEXT + 60, thread_ts=f"{FIRST}.000000")]
    written(export, {**FILES, "general/2026-02-02.json": later})
    after, _ = await listed(source)
    assert [path for path, row in after.items() if before[path].stamp != row.stamp] == [THREAD]
    assert (await read(source, THREAD)).endswith("One more\n")
    await source.aclose()


async def test_a_broken_day_keeps_what_was_there(tmp_path: Path) -> None:
    """The day, and each thread that has or may have a part of it, are reported and so kept; the others are listed."""
    other = said("Apart", NEXT + 86_400, thread_ts=f"{NEXT + 86_400}.000000", reply_count=1,
                 replies=[{"user": "U1", "ts": f"{NEXT + 172_800}.000000"}])  # fmt: skip
    files = {
        **FILES,
        "general/2026-02-02.json": b'[{"ts": ',
        "general/2026-02-03.json": [other],
        "general/2026-02-04.json": [],
        "board/2026-02-01.json": {},
    }
    source = SlackConnector(written(tmp_path / "x.zip", files))
    rows, refused = await listed(source)
    assert set(refused) == {"board/2026-02-01", "general/2026-02-02", THREAD, "general/canvas.json"}
    assert [path for path in rows if path.startswith("general/")] == [
        "general/2026-02-01/messages.md",
        f"general/2026-02-03/thread-{NEXT + 86_400}.000000.md",
    ]
    await source.aclose()


async def test_a_hostile_archive_is_held(tmp_path: Path) -> None:
    """Bombs, names that lead out and odd JSON are refused one by one; nothing is written anywhere."""
    bomb = b"[" + b" " * (HIGHEST_RATIO * 10_000) + b"]"
    odd: list[object] = [
        None,
        7,
        {"ts": "x"},
        {"ts": "1.1", "text": 5},
        {"ts": "1.1", "blocks": [[[[]]]], "user": {}},
        said("Fine", FIRST + 432_000),
    ]
    files = {
        **FILES,
        "general/2026-02-05.json": bomb,
        "general/2026-02-06.json": json.dumps(odd).encode(),
        "general/2026-02-07.json": b"[" * 100_000,
        "../2026-02-01.json": FILES["board/2026-02-01.json"],
        "/2026-02-01.json": FILES["board/2026-02-01.json"],
    }
    source = SlackConnector(written(tmp_path / "x.zip", files))
    rows, refused = await listed(source)
    assert "compressed more than" in refused["general/2026-02-05"]
    assert "not JSON" in refused["general/2026-02-07"]
    assert {"../2026-02-01.json", "/2026-02-01.json"} & rows.keys() == set()
    assert (await read(source, "general/2026-02-06/messages.md")).endswith("(2026-02-06 10:00 UTC): Fine\n")
    for path in ("general/2026-02-01/messages", "../x/2026-02-01/messages.md", "general/2026-03-01/messages.md"):
        with pytest.raises(Unreadable):
            await read(source, path)
    await source.aclose()


async def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    """A day that is a link is reported, and what it leads to is not read."""
    place = tmp_path / "unpacked"
    (place / "general").mkdir(parents=True)
    (place / "channels.json").write_text(json.dumps(FILES["channels.json"]))
    (tmp_path / "outside.json").write_text(json.dumps([said("outside", FIRST)]))
    (place / "general" / "2026-02-01.json").symlink_to(tmp_path / "outside.json")
    (place / "linked").symlink_to(tmp_path)
    source = SlackConnector(place)
    rows, refused = await listed(source)
    assert (list(rows), list(refused)) == ([], ["general/2026-02-01"])
    await source.aclose()


async def test_what_is_no_export_says_so(tmp_path: Path) -> None:
    """A lost file, another file, another archive and an empty folder have their own words."""
    (tmp_path / "text.zip").write_text("no archive")
    (tmp_path / "empty").mkdir()
    written(tmp_path / "other.zip", {"a/b.json": []})
    for name, error in (
        ("lost.zip", SourceDown),
        ("text.zip", SourceMisbehaves),
        ("other.zip", SourceMisbehaves),
        ("empty", SourceMisbehaves),
    ):
        with pytest.raises(error):
            await listed(SlackConnector(tmp_path / name))


NAMES = SlackNames(users={"U1": "Ann"}, channels={"C1": "#general"})


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a \\<b> \\&amp; c"),
        ("<@U1> <@U7|cy> <@U8> <!here> <!subteam^S1|@people> <!date^1^x|Monday>", "@Ann @cy @U8 @here @people Monday"),
        (
            "<https://a.example/x?y=1&amp;z=2> <mailto:a@b.example|a@b.example>",
            "https://a.example/x?y=1&z=2 a@b.example",
        ),
        ("<javascript:alert(1)|x> <https://a.example/(1)|y>", "x y"),
        ("# no heading\n&gt; quoted\n&gt; more\nafter", "\\# no heading\n\n> quoted  \n> more\n\nafter"),
        ("do:\n• one\n• *two*\n1. three", "do:\n\n- one\n- two\n1. three"),
        ("run `a &amp;&amp; *b*`\n```\n<@U1> &lt;x&gt; # y\n```end", "run `a && *b*`\n\n```\n@Ann <x> # y\n```\n\nend"),
        ("~old~ _new_ 2*3*4", "old _new_ 2\\*3\\*4"),
        ("--- \n| a |", "\\---  \n\\| a |"),
    ],
)
def test_what_people_write_reads_as_they_meant(text: str, markdown: str) -> None:
    """Slack's marks become Markdown's or go; what looks like a mark of Markdown is none."""
    assert slack_markdown(text, NAMES) == markdown
