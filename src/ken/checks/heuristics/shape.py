"""The form of an answer: JSON where it was asked for, required fields, clean text, length, and the steps of a procedure."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import cast

from ken.checks.heuristics.answered import MOST_READ, Answered, Finding
from ken.checks.heuristics.schema import misfit
from ken.checks.heuristics.standards import Standards
from ken.domain.wire import Json

_MOST_JSON = 200_000
"""Characters of JSON that are parsed; the record keeps half as many of an answer."""
_LEAK = re.compile(r"<\|[a-z_]{2,30}\|>|</?s>|<<SYS>>|</?think>|\ufffd|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SUSPECT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd<]")
"""What a leak begins with, or has beside it: quick to rule out."""
_FENCE = re.compile(r"^[ \t]*(?:[-*+>]\s|\d{1,3}[.)]\s)?[ \t]*(?:```|~~~)", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+\S", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]+\S", re.MULTILINE)
_ORDER = re.compile(
    r"\b(?:first|firstly|second|secondly|third|then|next|after that|afterwards|finally|lastly|once|step \d+|zuerst|danach"
    r"|anschließend|d'abord|ensuite|enfin|primero|luego|después)\b",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.!?](?:\s*\[\d{1,3}\])*(?:\s|\Z)")
_MANY_SENTENCES = 6
"""A way to do something that takes so many sentences is easier to follow in steps."""
_BYTES_A_WORD = 12
"""More than a word takes in alphabets that divide words; four signs of three bytes are about a word and a half."""


def json_schema(answered: Answered, standards: Standards) -> Finding:
    """The answer isn't the JSON that was asked for."""
    _ = standards
    if answered.schema is None or answered.calls_tools or len(answered.text) > _MOST_JSON:
        return None
    value, problem = _parsed(answered.text)
    if problem:
        return f"is no JSON: {problem}"
    if not isinstance(value, dict):
        return "is JSON, and no object"
    return misfit(value, answered.schema)


def required_fields(answered: Answered, standards: Standards) -> Finding:
    """A field that the operator requires is missing or empty."""
    wanted = standards.required.get(answered.task_type, ())
    if not wanted or not answered.is_given or answered.calls_tools or len(answered.text) > _MOST_JSON:
        return None
    value = _parsed(answered.text)[0] if answered.text.lstrip()[:1] in {"{", "["} else None
    if isinstance(value, dict):
        missing = [name for name in wanted if _at(value, name) in (None, "", [], {})]
    else:
        missing = [name for name in wanted if not _has_label(answered.text, name)]
    return f"lacks {', '.join(missing)}" if missing else ""


def clean(answered: Answered, standards: Standards) -> Finding:
    """A model's control tokens, half a character, or a block of code that never ends."""
    _ = standards
    if not answered.is_given:
        return None
    leak = _LEAK.search(answered.head) if _SUSPECT.search(answered.head) else None
    if leak and not any(leak.group() in given.text for given in answered.passages):
        return f"holds {leak.group()!r}"
    is_fenced = ("```" in answered.text or "~~~" in answered.text) and len(answered.text) <= MOST_READ
    if is_fenced and len(_FENCE.findall(answered.text)) % 2:
        return "opens a block of code that it doesn't close"
    return ""


def length(answered: Answered, standards: Standards) -> Finding:
    """Shorter or longer than answers of its task type are."""
    bounds = standards.lengths.get(answered.task_type)
    if bounds is None or answered.calls_tools or answered.outcome != "answered":
        return None
    count = _words(answered.text, enough=(bounds.most or bounds.least) + 1)
    if count < bounds.least:
        return f"has {count} words, fewer than {bounds.least}"
    if bounds.most is not None and count > bounds.most:
        return f"has more than {bounds.most} words"
    return ""


def steps(answered: Answered, standards: Standards) -> Finding:
    """A procedure without steps, or whose numbered steps have a gap."""
    _ = standards
    if answered.task_type != "procedure" or not answered.is_given:
        return None
    text = answered.head
    numbers = [int(number) for number in _NUMBERED.findall(text)]
    if len(numbers) > 1:
        gap = next((pair for pair in pairwise(numbers) if pair[1] not in {pair[0] + 1, 1}), None)
        return f"goes from step {gap[0]} to step {gap[1]}" if gap else ""
    sentences = len(_SENTENCE_ENDS.findall(text))
    if sentences < _MANY_SENTENCES or len(_BULLET.findall(text)) > 1 or "```" in text or _ORDER.search(text):
        return ""
    return f"tells how to do something in {sentences} sentences without steps"


def _words(text: str, *, enough: int) -> int:
    """Words, counted no further than needed; of a language that is written without white space, as many as it would have."""
    count = len(text.split(maxsplit=enough))
    return count if text.isascii() else max(count, len(text.encode()) // _BYTES_A_WORD)


def _parsed(text: str) -> tuple[Json, str]:
    """The value of a JSON text, and what is wrong with it."""
    try:
        return cast("Json", json.loads(text)), ""
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at character {error.pos}"
    except RecursionError:
        return None, "nested too deep"


def _at(value: Json, path: str) -> Json:
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _has_label(text: str, name: str) -> bool:
    """Whether `Owner: somebody` or a heading `Owner` stands in a text, in any case."""
    label = re.compile(rf"^[\s>#*_-]*{re.escape(name)}[*_]*\s*(?::[*_]*\s*\S|$)", re.IGNORECASE | re.MULTILINE)
    return label.search(text) is not None
