"""The lines of an AsciiDoc file as its preprocessor leaves them: attributes set and put in, conditionals decided, no comments.

`include::` is never followed: what it names is listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ken.knowledge.parse.asciidoc_inline import BUILT_IN

_ENTRY = re.compile(r":(?P<unset>!?)(?P<name>[\w][\w-]{0,80})(?P<unset_after>!?):(?:[ \t]+(?P<value>.*))?$")
_CONDITION = re.compile(r"(?P<kind>ifdef|ifndef|ifeval|endif)::(?P<names>[^\s\[]{0,400})\[(?P<text>.*)\]$")
_COMPARISON = re.compile(r"\s*(\"[^\"]*\"|'[^']*'|[\w.+-]*)\s*(==|!=|<=|>=|<|>)\s*(\"[^\"]*\"|'[^']*'|[\w.+-]*)\s*$")
_INCLUDE = re.compile(r"(?P<escape>\\?)include::(?P<place>[^\s\[][^\[]{0,1000})\[[^\]]*\]\s*$")
_REFERENCE = re.compile(r"(?P<escape>\\?)\{(?P<name>\w[\w-]{0,80})\}")
_VERBATIM = re.compile(r"(?:-{4,}|\.{4,}|\+{4,}|`{3,})")
_LONGEST_VALUE = 500
_MOST_ADDED = 2_000_000


@dataclass(slots=True)
class Source:
    """Reads lines once, in order."""

    attributes: dict[str, str] = field(default_factory=dict[str, str])
    """As they stand at the end, by lower-case name."""
    head: dict[str, str] = field(default_factory=dict[str, str])
    """Those of the document's header."""
    included: list[str] = field(default_factory=list[str])
    """Files that the document names."""
    lines: list[str] = field(default_factory=list[str])
    added: int = 0
    """Characters that attributes have added; there is an end to them."""
    verbatim: str = ""
    """The delimiter of the block of code that is open."""
    comment: str = ""
    """The delimiter of the comment that is open."""
    skipping: list[bool] = field(default_factory=list[bool])
    """Of the open conditionals, whether each leaves its lines out."""
    in_header: bool = True
    pending: tuple[str, str] | None = None
    """An attribute whose value goes on in the next line, and its value so far."""

    def read(self, text: str) -> None:
        """Take in the lines of `text`."""
        self.attributes.update(BUILT_IN)
        for line in text.split("\n"):
            self._read(line.rstrip())

    def _read(self, line: str) -> None:
        if condition := _CONDITION.match(line):
            self._decide(condition)
        elif any(self.skipping) or self._is_comment(line):
            return
        elif self.pending:
            self._set(self.pending[0], f"{self.pending[1]} {line.strip()}")
        elif self._is_verbatim(line):
            self.in_header = False
            if not self._includes(line):
                self.lines.append(line)
        elif entry := _ENTRY.match(line):
            if entry["unset"] or entry["unset_after"]:
                self.attributes.pop(entry["name"].lower(), None)
            else:
                self._set(entry["name"].lower(), entry["value"] or "")
        elif not self._includes(line):
            # A blank line ends the header.
            self.in_header = self.in_header and (bool(line) or not self.lines)
            self.lines.append(self._put_in(line))

    def _is_comment(self, line: str) -> bool:
        if self.comment:
            self.comment = "" if line == self.comment else self.comment
            return True
        if self.verbatim or not line.startswith("//"):
            return False
        if line.startswith("////") and not line.strip("/"):
            self.comment = line
        return bool(self.comment) or not line.startswith("///")

    def _is_verbatim(self, line: str) -> bool:
        """Whether the line is in a block of code, or begins or ends one: there, only `include::` means anything."""
        if self.verbatim:
            self.verbatim = "" if line == self.verbatim else self.verbatim
            return True
        if _VERBATIM.fullmatch(line) or line.startswith("```"):
            self.verbatim = re.sub(r"(?<=```)[^`].*", "", line)
        return bool(self.verbatim)

    def _set(self, name: str, value: str) -> None:
        """Set an attribute, or wait for the rest of its value."""
        self.pending = None
        if value.endswith(" \\") and len(value) < _LONGEST_VALUE:
            self.pending = name, value[:-2]
            return
        value = self._put_in(value.removesuffix("\\").strip())[:_LONGEST_VALUE]
        self.attributes[name] = value
        if self.in_header:
            # Groups that are given twice say nothing that can be relied on.
            self.head[name] = "" if name == "groups" and name in self.head else value

    def _put_in(self, line: str) -> str:
        if "{" not in line or self.added > _MOST_ADDED:
            return line
        return _REFERENCE.sub(self._value, line)

    def _value(self, match: re.Match[str]) -> str:
        if match["escape"]:
            return match[0][1:]
        told = self.attributes.get(match["name"].lower(), match[0])
        self.added += len(told)
        return told if self.added < _MOST_ADDED else match[0]

    def _includes(self, line: str) -> bool:
        match = _INCLUDE.match(line)
        if match and not match["escape"]:
            self.included.append(self._put_in(match["place"]))
            return True
        return False

    def _decide(self, condition: re.Match[str]) -> None:
        kind, names, text = condition["kind"], condition["names"].lower(), condition["text"]
        if kind == "endif":
            if self.skipping:
                self.skipping.pop()
            return
        if kind == "ifeval":
            self.skipping.append(not self._holds(text))
            return
        if "+" in names:
            is_set = all(name in self.attributes for name in names.split("+"))
        else:
            is_set = any(name in self.attributes for name in names.split(","))
        if not text:
            self.skipping.append(is_set != (kind == "ifdef"))
        elif is_set == (kind == "ifdef") and not any(self.skipping):
            self.lines.append(self._put_in(text))

    def _holds(self, text: str) -> bool:
        """Whether a comparison holds; what can't be compared does, so that its text is read."""
        match = _COMPARISON.match(self._put_in(text))
        if not match:
            return True
        left, right = match[1].strip("\"'"), match[3].strip("\"'")
        if left.replace(".", "", 1).isdecimal() and right.replace(".", "", 1).isdecimal():
            order = (float(left) > float(right)) - (float(left) < float(right))
        else:
            order = (left > right) - (left < right)
        return {"==": order == 0, "!=": order != 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[
            match[2]
        ]
