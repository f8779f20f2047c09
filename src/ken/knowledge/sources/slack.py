"""A Slack export as a source: its ZIP archive, or the folder that it was unpacked to.

A thread is one document, as it is one conversation with a question and its answers; what was said outside of threads is one
document for each channel and day, as single messages say little and are understood from those around them. Whoever is not in
a private channel must not read it: such channels and direct messages carry the group `slack:<name>`, as does any folder that
the export's own lists don't call public.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import re
import threading
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from ken.domain.document import Metadata
from ken.errors import Unreadable
from ken.knowledge.parse.markdown_writer import escaped
from ken.knowledge.sources.slack_archive import ExportFiles, opened_export, parsed
from ken.knowledge.sources.slack_messages import Deletion, SlackMessage, messages, time_of
from ken.knowledge.sources.slack_text import SlackNames, slack_plain
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

_DAY = re.compile(r"(?P<channel>(?!\.{1,2}/)[^/\x00-\x1f\x7f\\\ud800-\udfff]{1,200})/(?P<date>\d{4}-\d{2}-\d{2})\.json")
_DOCUMENT = re.compile(r"(?P<channel>[^/]+)/(?P<date>\d{4}-\d{2}-\d{2})/(?:messages|thread-(?P<thread>\d+\.\d+))\.md")
_PRIVATE = ("groups", "dms", "mpims")
_DAYS_KEPT = 8
_LONGEST_TITLE = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    """A channel, group or conversation of the export."""

    id: str
    name: str
    """Of its folder."""
    label: str
    """For people."""
    is_public: bool


@dataclass(slots=True)
class _Found:
    """What a channel's files hold, without the texts."""

    documents: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Path, then `ts` of each message, to the digest of its text: a message that comes again replaces itself."""
    dates: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    """Path to the days whose files have a part of it."""
    placed: dict[str, str] = field(default_factory=dict[str, str])
    """`ts` of a message to the first day whose file has it."""
    threads: set[str] = field(default_factory=set[str])
    """`ts` of each message that was answered."""
    deleted: set[str] = field(default_factory=set[str])
    broken: dict[str, str] = field(default_factory=dict[str, str])
    """Day to the reason why its file can't be read."""
    awaited: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    """`ts` of a thread to the days on which Slack says that it was answered."""


class SlackConnector:
    """The conversations of an export. Every listing is whole; a document's stamp is a digest of its text.

    `workspace_url`, as in `https://example.slack.com`, makes links to the messages.
    """

    def __init__(self, export: Path, *, workspace_url: str | None = None) -> None:
        self._export = export
        self._workspace_url = workspace_url.rstrip("/") if workspace_url else None
        self._opened: _Export | None = None
        self._turn = threading.Lock()

    @property
    def location(self) -> str:
        """The path of the export."""
        return str(self._export)

    @property
    def concurrency(self) -> int:
        """One: all is read from one archive."""
        return 1

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List every thread and day. A day's file that can't be read is reported, and what Ken has of it stays."""
        del cursor
        await self.aclose()
        export = await asyncio.to_thread(self._open)
        for name in await asyncio.to_thread(export.folders):
            for change in await asyncio.to_thread(export.listed, name):
                yield change
        for path, reason in export.broken.items():
            yield Unlisted(path, reason)
        for path in export.strange:
            yield Unlisted(path, "Its name is none of a Slack export's. Export again, or take it out.", is_foreign=True)
        yield Complete()

    async def fetch(self, listed: Listed) -> Fetched:
        """The text of one conversation."""
        export = await asyncio.to_thread(self._open)
        return await asyncio.to_thread(export.fetched, listed.path, workspace_url=self._workspace_url)

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None for what is said in a public channel; else the group of the channel."""
        export = await asyncio.to_thread(self._open)
        channel = export.channel(listed.path.partition("/")[0])
        return None if channel.is_public else frozenset({f"slack:{channel.name}"})

    async def aclose(self) -> None:
        """Let go of the archive."""
        await asyncio.to_thread(self._close)

    def _open(self) -> _Export:
        with self._turn:
            if self._opened is None:
                self._opened = _Export(opened_export(self._export))
            return self._opened

    def _close(self) -> None:
        with self._turn:
            if self._opened is not None:
                self._opened.close()
                self._opened = None


class _Export:
    """An opened export: who is who, which channels there are, and what was said in them."""

    def __init__(self, files: ExportFiles) -> None:
        self._files = files
        self._days: dict[str, list[str]] = defaultdict(list)
        self.strange: list[str] = []
        self.broken: dict[str, str] = {}
        named = files.names()
        self._lists = {name for name in named if "/" not in name}
        for name in named:
            if day := _DAY.fullmatch(name):
                self._days[day["channel"]].append(day["date"])
            elif name.count("/") == 1:
                self.strange.append(_shown(name))
        users = self._named("users")
        people = {key: _person(user) for key, user in users.items()}
        self._channels = self._all_channels(people)
        # As Slack does it: who is not in a private channel doesn't learn its name from those who mention it.
        names = {each.id: each.label if each.is_public else "a private channel" for each in self._channels.values()}
        self._names = SlackNames(users=people, channels=names)
        self._found: dict[str, _Found] = {}
        self._kept: OrderedDict[tuple[str, str], list[SlackMessage | Deletion]] = OrderedDict()
        self._turn = threading.Lock()

    def folders(self) -> list[str]:
        """The folders with messages."""
        return sorted(self._days)

    def close(self) -> None:
        """Let go of the archive."""
        with self._turn:
            self._files.close()

    def channel(self, name: str) -> _Channel:
        """The channel of a folder; one that no list names is private."""
        known = self._channels.get(name)
        return known or _Channel(id="", name=name, label=name, is_public=False)

    def listed(self, name: str) -> list[Change]:
        """The documents of a channel, and what of it can't be read."""
        with self._turn:
            found = self._scanned(name)
        changes: list[Change] = [Unlisted(f"{name}/{date}", reason) for date, reason in found.broken.items()]
        for path, texts in found.documents.items():
            said = {ts: digest for ts, digest in texts.items() if ts not in found.deleted}
            if not said:
                continue
            if missing := self._missing(found, path):
                changes.append(Unlisted(path, f"A part of the thread, of {missing}, can't be read: export again."))
                continue
            told = "".join([self.channel(name).label, *(said[ts] for ts in sorted(said, key=_order))])
            stamp = hashlib.sha256(told.encode("utf-8", errors="replace")).hexdigest()
            changes.append(Listed(path=path, key=path, stamp=stamp, is_digest=True))
        return changes

    def fetched(self, path: str, *, workspace_url: str | None) -> Fetched:
        """The text of a document."""
        named = _DOCUMENT.fullmatch(path)
        if named is None:
            raise Unreadable(f"{path!r} is no path of a Slack export: sync again.")
        channel = self.channel(named["channel"])
        with self._turn:
            found = self._scanned(named["channel"])
            said: dict[str, SlackMessage] = {}
            for date in sorted(found.dates.get(path, ())):
                for message in self._day(named["channel"], date):
                    if isinstance(message, SlackMessage) and _path(found, channel.name, message) == path:
                        said[message.ts] = message
        kept = [said[ts] for ts in sorted(said, key=_order) if ts not in found.deleted]
        if not kept:
            raise Unreadable(f"{path!r} is not in the export any more: sync again.")
        title = f"{channel.label}, {named['date']}"
        if named["thread"]:
            title = f"{channel.label}: {_cut(slack_plain(kept[0].words, self._names)) or named['date']}"
        text = "\n\n".join([f"# {escaped(title)}", *(message.text for message in kept)]) + "\n"
        about = Metadata(title=title, modified=kept[-1].at.date().isoformat())
        url = (
            f"{workspace_url}/archives/{channel.id}/p{kept[0].ts.replace('.', '')}"
            if workspace_url and channel.id
            else None
        )
        return Fetched(data=text.encode("utf-8", errors="replace"), about=about, url=url)

    def _scanned(self, name: str) -> _Found:
        """What a channel holds; its files are read once for a listing."""
        if name in self._found:
            return self._found[name]
        found = _Found()
        loose: list[tuple[str, SlackMessage]] = []
        for date in self._days.get(name, ()):
            try:
                day = self._day(name, date)
            except Unreadable as error:
                found.broken[date] = str(error)
                continue
            for message in day:
                if isinstance(message, Deletion):
                    found.deleted.add(message.ts)
                    continue
                found.placed.setdefault(message.ts, date)
                if message.thread is not None:
                    found.threads.add(message.thread)
                if message.replies:
                    found.awaited[message.ts] |= {time_of(reply).date().isoformat() for reply in message.replies}
                loose.append((date, _without_text(message)))
        for date, message in loose:
            path = _path(found, name, message)
            found.documents.setdefault(path, {})[message.ts] = message.text
            found.dates[path].add(date)
        self._found[name] = found
        return found

    def _missing(self, found: _Found, path: str) -> str | None:
        """The first broken day that may hold a part of the thread. Slack's files go by a day of its own time zone."""
        named = _DOCUMENT.fullmatch(path)
        thread = named["thread"] if named else None
        if thread is None or not found.broken:
            return None
        awaited = found.awaited.get(thread)
        if awaited is None:
            return min(found.broken)
        around = {_shifted(date, days) for date in awaited for days in (-1, 0, 1)}
        return min(around & found.broken.keys(), default=None)

    def _day(self, name: str, date: str) -> list[SlackMessage | Deletion]:
        """The messages of a day's file; a few files are kept, as the documents of a day are fetched in a row."""
        key = (name, date)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        file = f"{name}/{date}.json"
        value = parsed(self._files.read(file), file)
        if not isinstance(value, list):
            raise Unreadable(f"{file!r} is no list of messages: export again.")
        self._kept[key] = list(messages(cast("object", value), self._names))
        while len(self._kept) > _DAYS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _all_channels(self, people: Mapping[str, str]) -> dict[str, _Channel]:
        """The channels by the names of their folders. What stands in a list of private ones is private, whatever else is said."""
        channels: dict[str, _Channel] = {}
        for kind in ("channels", *_PRIVATE):
            for key, raw in self._named(kind).items():
                name = _string(raw, "name") or key
                is_public = kind == "channels" and raw.get("is_private") is not True and name not in channels
                label = f"#{name}" if kind in {"channels", "groups"} else _members(raw, people)
                channels[name] = _Channel(id=key, name=name, label=label, is_public=is_public)
        return channels

    def _named(self, kind: str) -> dict[str, Mapping[str, object]]:
        """The objects of one of the export's lists, by id. Without a list nothing is public, and nobody has a name."""
        name = f"{kind}.json"
        if name not in self._lists:
            return {}
        try:
            value = parsed(self._files.read(name), name)
        except Unreadable as error:
            self.broken[name] = str(error)
            return {}
        raw = cast("list[object]", value) if isinstance(value, list) else []
        objects = [cast("Mapping[str, object]", one) for one in raw if isinstance(one, dict)]
        return {_string(one, "id"): one for one in objects if _string(one, "id")}


def _path(found: _Found, name: str, message: SlackMessage) -> str:
    """The document that a message is in: its thread's, else that of the day on which it was first said."""
    thread = message.ts if message.ts in found.threads else message.thread
    if thread is None:
        return f"{name}/{found.placed[message.ts]}/messages.md"
    return f"{name}/{found.placed.get(thread) or time_of(thread).date().isoformat()}/thread-{thread}.md"


def _without_text(message: SlackMessage) -> SlackMessage:
    """The message with a digest in place of its text."""
    digest = hashlib.sha256(message.text.encode("utf-8", errors="replace")).hexdigest()
    return SlackMessage(message.ts, message.thread, digest, "", ())


def _order(ts: str) -> tuple[int, str]:
    seconds, _, rest = ts.partition(".")
    return int(seconds), rest


def _shifted(date: str, days: int) -> str:
    return (dt.date.fromisoformat(date) + dt.timedelta(days=days)).isoformat()


def _person(user: Mapping[str, object]) -> str:
    profile = user.get("profile")
    about: Mapping[str, object] = cast("Mapping[str, object]", profile) if isinstance(profile, dict) else {}
    names: Iterable[str] = (
        _string(about, "display_name"),
        _string(about, "real_name"),
        _string(user, "real_name"),
        _string(user, "name"),
    )
    return next(filter(None, (name.strip() for name in names)), "")


def _members(raw: Mapping[str, object], people: Mapping[str, str]) -> str:
    members = raw.get("members")
    keys = cast("list[object]", members) if isinstance(members, list) else []
    return f"Direct messages of {', '.join(people.get(str(key)) or str(key) for key in keys) or 'somebody'}"


def _cut(title: str) -> str:
    return (
        title
        if len(title) <= _LONGEST_TITLE
        else f"{title[:_LONGEST_TITLE].rpartition(' ')[0] or title[:_LONGEST_TITLE]}…"
    )


def _shown(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\\\ud800-\udfff]", "\ufffd", name)


def _string(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
