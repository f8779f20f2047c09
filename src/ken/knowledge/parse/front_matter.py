"""YAML front matter, read with limits: it may be wrong in any way, and the document is still read."""

from __future__ import annotations

import re
from typing import cast

import yaml

from ken.knowledge.parse.metadata import Stated, Value, closed, stated

MOST_CHARACTERS = 65_536
_DEEPEST = 10

_OPENING = re.compile(r"\s*---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
# What follows the opening line has to look like a key, or else the line is a thematic break of the text.
_KEY = re.compile(r"(?:[ \t]*(?:#.*)?\n)*(?:[\"']?\w[\w .-]*[\"']?[ \t]*:(?:[ \t]|\n|\Z)|\{|\?[ \t]|---|\.\.\.)")
_MENTIONS_GROUPS = re.compile(r"groups", re.IGNORECASE)


class _Refused(yaml.YAMLError):
    """Front matter that is YAML, but not of the kind that is read."""


class _Loader(yaml.BaseLoader):
    """Composes scalars as strings; refuses aliases, which can make small files huge, and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _Refused("aliases are not read here")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Refused(f"it is nested deeper than {_DEEPEST} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def split_front_matter(text: str) -> tuple[str, Stated]:
    """The body of `text`, unchanged, and what its front matter states. Never raises.

    Front matter that can't be read gives a warning; if it speaks of groups, the document is closed to all but operators.
    """
    opening = _OPENING.match(text)
    if not opening or not _KEY.match(text, opening.end()):
        return text, Stated()
    closing = _CLOSING.search(text, opening.end())
    if not closing:
        source = text[opening.end() : opening.end() + MOST_CHARACTERS]
        return text, _unreadable(source, "it is not closed by a line of three hyphens")
    source, body = text[opening.end() : closing.start()], text[closing.end() :].removeprefix("\n")
    if len(source) > MOST_CHARACTERS:
        return body, _unreadable(source, f"it has {len(source):,} characters; at most {MOST_CHARACTERS:,} are read")
    return body, _read(source)


def _read(source: str) -> Stated:
    try:
        root = cast("yaml.Node | None", yaml.compose(source, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = f" in its line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return _unreadable(source, f"it is not YAML ({error.problem or error.context}{line})")
    except (yaml.YAMLError, ValueError) as error:
        # ValueError: the scanner lets through escapes of code points that do not exist.
        return _unreadable(source, f"it is not YAML ({str(error)[:100]})")
    if root is None:
        return Stated()
    if not isinstance(root, yaml.MappingNode):
        return _unreadable(source, "it is not a mapping")
    pairs = cast("list[tuple[yaml.Node, yaml.Node]]", root.value)
    return stated((str(key.value), _value(value)) for key, value in pairs if isinstance(key, yaml.ScalarNode))


def _value(node: yaml.Node) -> Value:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        children = cast("list[yaml.Node]", node.value)
        if all(isinstance(child, yaml.ScalarNode) for child in children):
            return tuple(str(child.value) for child in children)
    return None


def _unreadable(source: str, reason: str) -> Stated:
    warning = f"The front matter was left out: {reason}."
    if _MENTIONS_GROUPS.search(source):
        return closed(
            Stated(), f"{warning} It names groups, so only operators may see the document until it is mended."
        )
    return Stated(warnings=(warning,))
