"""What people write in Slack becomes Markdown: mentions by name, links, code, quotations, and nothing that reads as a mark.

The format is Slack's "mrkdwn": https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ken.knowledge.parse.markdown_writer import escaped

_FENCED = re.compile(r"```(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_TOKEN = re.compile(r"<([^<>\n]{1,4000})>")
_BOLD = re.compile(r"(?<![\w*])\*(\S|\S[^*\n]{0,2000}?\S)\*(?![\w*])")
_STRUCK = re.compile(r"(?<![\w~])~(\S|\S[^~\n]{0,2000}?\S)~(?![\w~])")
_MARK_AT_START = re.compile(r"(?:#{1,6}|=+|\++|-{2,}|\*)(?=\s|$)|[|]|~{3}|`{3}")
_POINT = re.compile(r"\s*(?:[-•◦▪]|(\d{1,3})[.)])\s+(?=\S)")
_LINKED = ("http://", "https://", "mailto:")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackNames:
    """What ids in messages stand for."""

    users: Mapping[str, str]
    """Display names."""
    channels: Mapping[str, str]
    """As they are shown, with `#`."""

    def user(self, key: str) -> str:
        """The display name, or the id of somebody whom the export doesn't know."""
        return self.users.get(key, key)


def slack_markdown(text: str, names: SlackNames) -> str:
    """The Markdown of one message's text, in blocks parted by blank lines."""
    blocks: list[str] = []
    for number, piece in enumerate(_FENCED.split(text.replace("\r\n", "\n").replace("\x00", ""))):
        if number % 2:
            code = _unescaped(_TOKEN.sub(lambda found: _label(found[1], names), piece)).strip("\n")
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
            blocks.append(f"{fence}\n{code}\n{fence}")
        else:
            blocks += _prose(piece, names)
    return "\n\n".join(blocks)


def slack_plain(text: str, names: SlackNames) -> str:
    """The text on one line, without marks: for titles."""
    bare = _STRUCK.sub(r"\1", _BOLD.sub(r"\1", text.replace("```", " ")))
    return " ".join(_unescaped(_TOKEN.sub(lambda found: _label(found[1], names), bare)).split())


def _prose(piece: str, names: SlackNames) -> list[str]:
    """Paragraphs, lists and quotations of text that is not fenced."""
    blocks: list[str] = []
    lines: list[str] = []
    kind = ""
    for source in [*piece.split("\n"), ""]:
        line, line_kind = _line(source, names)
        if lines and line_kind != kind:
            blocks.append(("  \n" if kind in {"text", "quote"} else "\n").join(lines))
            lines = []
        kind = line_kind
        if line_kind:
            lines.append(line)
    return blocks


def _line(source: str, names: SlackNames) -> tuple[str, str]:
    """A line as Markdown, and what it is part of: `text`, `quote`, `list`, or nothing."""
    bare = source.strip()
    if not bare:
        return "", ""
    if bare.startswith("&gt;"):
        return f"> {_inline(re.sub(r'^(?:&gt;)+ ?', '', bare), names)}", "quote"
    if point := _POINT.match(source):
        mark = f"{point[1]}." if point[1] else "-"
        return f"{mark} {_inline(source[point.end() :].strip(), names)}", "list"
    written = _inline(bare, names)
    return ("\\" if _MARK_AT_START.match(written) else "") + written, "text"


def _inline(line: str, names: SlackNames) -> str:
    written: list[str] = []
    for number, piece in enumerate(_CODE.split(line)):
        if number % 2:
            written.append(f"`{_unescaped(_TOKEN.sub(lambda found: _label(found[1], names), piece))}`")
            continue
        bare = _STRUCK.sub(r"\1", _BOLD.sub(r"\1", piece))
        place = 0
        for token in _TOKEN.finditer(bare):
            written += [escaped(_unescaped(bare[place : token.start()])), _linked(token[1], names)]
            place = token.end()
        written.append(escaped(_unescaped(bare[place:])))
    return "".join(written)


def _linked(token: str, names: SlackNames) -> str:
    """What stands between angle brackets, links as Markdown's."""
    target, bar, _ = token.partition("|")
    target = _unescaped(target)
    shown = _label(token, names)
    if (
        not target.startswith(_LINKED)
        or not bar
        or shown in {target, target.removeprefix("mailto:")}
        or re.search(r"[\s()]", target)
    ):
        return escaped(shown)
    return f"[{escaped(re.sub(r'[][]', '', shown)) or target}]({target})"


def _label(token: str, names: SlackNames) -> str:
    """What stands between angle brackets, as people see it."""
    target, _, label = token.partition("|")
    label = _unescaped(label)
    match target[:1]:
        case "@":
            return f"@{names.users.get(target[1:]) or label.lstrip('@') or target[1:]}"
        case "#":
            return names.channels.get(target[1:]) or f"#{label.lstrip('#') or target[1:]}"
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
        case _:
            return label or _unescaped(target).removeprefix("mailto:")


def _unescaped(text: str) -> str:
    """The three characters that Slack escapes, `&` last: what people wrote may look like an escape."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
