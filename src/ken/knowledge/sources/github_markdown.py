"""An issue with its comments becomes one Markdown document, in which everybody's words stay inside their own section."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.markdown_writer import MarkdownWriter
from ken.knowledge.sources.shapes import Fields, at, day, listed, text

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RAW = re.compile(r"^ {0,3}<(?=[!?]|(?:script|pre|style|textarea)\b)", re.IGNORECASE)
"""Begins HTML that reaches to its own end mark, over blank lines and headings (CommonMark 0.31, section 4.6)."""
_COMMENT = re.compile(r" {0,3}<!--")
_DEEPER = 2
_DEEPEST = 6
_SHORTEST_RULE = 3


def issue_markdown(issue: Fields, *, comments: Iterable[Fields], repository: str) -> str:
    """Title, facts, what its author wrote, and each comment under its author's login and day."""
    writer = MarkdownWriter()
    writer.begin_heading(1)
    writer.words(" ".join(text(issue, "title").split()))
    writer.end_block()
    writer.begin_list(numbered=False)
    for name, value in _facts(issue, repository):
        writer.begin_point()
        writer.words(f"{name}: {value}")
    writer.end_list()
    sections = [writer.text(), contained(text(issue, "body"))]
    for comment in comments:
        heading = MarkdownWriter()
        heading.begin_heading(2)
        heading.words(f"Comment by {_login(comment)} on {day(comment, 'created_at') or 'an unknown day'}")
        sections += [heading.text(), contained(text(comment, "body"))]
    return "\n".join(section for section in sections if section.strip())


def _facts(issue: Fields, repository: str) -> Iterator[tuple[str, str]]:
    is_pull = at(issue, "pull_request") is not None
    yield "Pull request" if is_pull else "Issue", f"{repository} #{text(issue, 'number')}"
    reason = text(issue, "state_reason").replace("_", " ")
    merged = day(issue, "pull_request", "merged_at")
    state = "merged" if merged else text(issue, "state")
    yield "State", f"{state} ({reason})" if reason and not merged else state
    for name, values in (
        ("Labels", [text(label, "name") for label in listed(issue, "labels")]),
        ("Assigned to", [text(person, "login") for person in listed(issue, "assignees")]),
        ("Milestone", [text(issue, "milestone", "title")]),
    ):
        if told := ", ".join(filter(None, values)):
            yield name, told
    yield "Opened", f"{day(issue, 'created_at') or 'on an unknown day'} by {_login(issue)}"
    for name, moment in (("Closed", merged or day(issue, "closed_at")), ("Last change", day(issue, "updated_at"))):
        if moment:
            yield name, moment


def _login(written: Fields) -> str:
    """Who wrote it; accounts that were deleted are called so by GitHub, too."""
    return text(written, "user", "login") or "ghost"


def contained(body: str) -> str:
    """Somebody's Markdown as the inside of a section: headings two levels down, code closed, comments for nobody left out."""
    lines: list[str] = []
    fence = ""
    in_comment = False
    # As the parser will read it: what it takes for the end of a line has to be one here.
    for written in clean(body)[0].split("\n"):
        line = written
        if fence:
            fence = "" if re.fullmatch(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*", line) else fence
            lines.append(line)
            continue
        if in_comment or _COMMENT.match(line):
            start = 0 if in_comment else line.index("<!--") + len("<!--")
            _, closed, rest = line[start:].partition("-->")
            in_comment, line = not closed, rest.strip()
        opening = _FENCE.match(line)
        fence = opening[1] if opening else ""
        lines.append(_line(line))
    if fence:
        lines.append(fence)
    return "\n".join(lines).strip("\n") + "\n"


def _line(line: str) -> str:
    """A line outside of code, without what would make it a heading of ours or open HTML without end."""
    if heading := _HEADING.match(line):
        level = min(_DEEPEST, len(heading[1]) + _DEEPER)
        return "#" * level + line[heading.end() :]
    if underline := _UNDERLINE.match(line):
        return "* * *" if underline[1].startswith("-" * _SHORTEST_RULE) else f"\\{underline[1]}"
    return _RAW.sub(r"\\<", line)
