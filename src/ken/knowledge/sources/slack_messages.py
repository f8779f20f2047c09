"""The messages of a Slack export: who wrote what when, in which thread, as the export's JSON says it.

Fields and subtypes: https://docs.slack.dev/reference/events/message
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ken.knowledge.sources.slack_text import SlackNames, slack_markdown

_TIME = re.compile(r"(\d{1,11})\.(\d{1,6})")
_DEEPEST = 12
_LONGEST_UNFURLED = 2_000
# What Slack itself notes down, and nobody said.
_NOTES = frozenset(
    "channel_join channel_leave channel_archive channel_unarchive channel_name channel_posting_permissions channel_convert_to_private "
    "group_join group_leave group_archive group_unarchive group_name bot_add bot_remove bot_enable bot_disable pinned_item "
    "unpinned_item reminder_add joiner_notification sh_room_created sh_room_shared huddle_thread ekm_access_denied tombstone".split()
)

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """One message, as it stands after edits."""

    ts: str
    """Seconds since the epoch with six digits after the point: the message's name in its channel."""
    thread: str | None
    """The `ts` of the message that began its thread."""
    text: str
    """Markdown, who and when first."""
    words: str
    """What was said, as Slack writes it: for titles."""
    replies: tuple[str, ...]
    """The `ts` of the answers that Slack knows of."""

    @property
    def at(self) -> dt.datetime:
        """When it was written."""
        return time_of(self.ts)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A note that a message was deleted later."""

    ts: str


def time_of(ts: str) -> dt.datetime:
    """The moment, in UTC."""
    return dt.datetime.fromtimestamp(int(ts.partition(".")[0]), tz=dt.UTC)


def messages(day: object, names: SlackNames) -> Iterator[SlackMessage | Deletion]:
    """The messages in the JSON value of a day's file, as they come; notes of Slack's own are passed over."""
    for raw in cast("list[object]", day) if isinstance(day, list) else []:
        if not isinstance(raw, dict):
            continue
        message = cast("Json", raw)
        subtype = _string(message, "subtype")
        if subtype == "message_deleted":
            if _TIME.fullmatch(_string(message, "deleted_ts")):
                yield Deletion(_string(message, "deleted_ts"))
            continue
        if subtype == "message_changed":
            message = _object(message, "message")
            subtype = _string(message, "subtype")
        if subtype in _NOTES or not _TIME.fullmatch(_string(message, "ts")):
            continue
        if (read := _message(message, names)) is not None:
            yield read


def _message(message: Json, names: SlackNames) -> SlackMessage | None:
    ts, thread = _string(message, "ts"), _string(message, "thread_ts")
    words = _string(message, "text") or _words_of_blocks(message.get("blocks"), 0).strip()
    body = "\n\n".join(filter(None, [slack_markdown(words, names), *_unfurled(message, names), _files(message)]))
    if not body:
        return None
    replies = tuple(_string(reply, "ts") for reply in _objects(message, "replies"))
    began = ts == thread and not replies and not message.get("reply_count")
    opening = f"**{_author(message, names)}** ({_when(message, ts)}):"
    # A block that must stand on its own can't follow on the same line.
    separator = "\n\n" if re.match(r"`{3}|> |- |\d+\. |\|", body) else " "
    return SlackMessage(
        ts=ts,
        thread=thread if _TIME.fullmatch(thread) and not began else None,
        text=f"{opening}{separator}{body}",
        words=words,
        replies=tuple(reply for reply in replies if _TIME.fullmatch(reply)),
    )


def _when(message: Json, ts: str) -> str:
    when = f"{time_of(ts):%Y-%m-%d %H:%M} UTC"
    edited = _string(_object(message, "edited"), "ts")
    return f"{when}, edited {time_of(edited):%Y-%m-%d %H:%M} UTC" if _TIME.fullmatch(edited) else when


def _author(message: Json, names: SlackNames) -> str:
    """The display name; of a bot its own."""
    user, profile = _string(message, "user"), _object(message, "user_profile")
    bot = _string(message, "username") or _string(_object(message, "bot_profile"), "name")
    if message.get("bot_id") or _string(message, "subtype") == "bot_message":
        name = f"{bot or names.users.get(user) or 'A bot'} (bot)"
    else:
        name = (
            names.users.get(user)
            or _string(profile, "display_name")
            or _string(profile, "real_name")
            or user
            or bot
            or "Somebody"
        )
    return " ".join(re.sub(r"[*\\`<>\[\]_#]", " ", name).split())


def _files(message: Json) -> str:
    named = [_string(file, "name") or _string(file, "title") for file in _objects(message, "files")]
    named = [" ".join(re.sub(r"[*`<>\[\]\\]", " ", name).split()) for name in named if name]
    return f"Files: {', '.join(named)}" if named else ""


def _unfurled(message: Json, names: SlackNames) -> Iterator[str]:
    """What bots and previews of links add, as quotations."""
    for attached in _objects(message, "attachments"):
        texts = [_string(attached, key) for key in ("pretext", "title", "text")]
        texts += [f"{_string(field, 'title')}: {_string(field, 'value')}" for field in _objects(attached, "fields")]
        words = "\n".join(filter(None, texts)) or _string(attached, "fallback")
        shown = slack_markdown(words[:_LONGEST_UNFURLED], names)
        if shown:
            yield "\n".join(f"> {line}" if line else ">" for line in shown.split("\n"))


def _words_of_blocks(value: object, depth: int) -> str:
    """The text of a message that has it in blocks alone."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(_words_of_blocks(part, depth + 1) for part in cast("list[object]", value))
    if not isinstance(value, dict):
        return ""
    block = cast("Json", value)
    match block.get("type"):
        case "user":
            return f"<@{_string(block, 'user_id')}>"
        case "channel":
            return f"<#{_string(block, 'channel_id')}>"
        case "broadcast":
            return f"@{_string(block, 'range')}"
        case "emoji":
            return f":{_string(block, 'name')}:"
        case "link":
            return (
                f"<{_string(block, 'url')}|{_string(block, 'text')}>"
                if block.get("text")
                else f"<{_string(block, 'url')}>"
            )
        case "text" | "mrkdwn" | "plain_text":
            return _string(block, "text")
        case _:
            inside = [_words_of_blocks(block.get(key), depth + 1) for key in ("text", "elements", "fields")]
            return "".join(inside) + "\n"


def _string(value: Json, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _object(value: Json, key: str) -> Json:
    found = value.get(key)
    return cast("Json", found) if isinstance(found, dict) else {}


def _objects(value: Json, key: str) -> list[Json]:
    found = value.get(key)
    return (
        [cast("Json", one) for one in cast("list[object]", found) if isinstance(one, dict)]
        if isinstance(found, list)
        else []
    )
