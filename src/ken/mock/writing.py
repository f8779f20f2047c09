"""What the mock model writes: the same for the same name, in sentences, and made of exactly so many tokens."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, cast

from ken.mock.behaviour import Behaviour

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PASSAGE = re.compile(r"^\[(\d+)\] [^\n]*\n+(?:#[^\n]*\n+)*([^\n]+)", re.MULTILINE)
_FIRST_SENTENCE = re.compile(r".+?[.!?](?=\s|$)|.+")
_BLOCK = 65_536
_THOUGHT_SEED = 7919

# Common words: each is one token of nearly every tokenizer, so that a count of one's own comes near.
_SUBJECTS = "the office,the team,every manager,our library,the new rule,each visitor,the report,this form".split(",")
_VERBS = "needs,keeps,gives,finds,opens,reads,sends,holds,shows,takes".split(",")
_OBJECTS = "a key,the list,two copies,some time,the next page,a short answer,the old plan,a good reason".split(",")
_ENDINGS = "at noon,on Monday,in the spring,before work,after the meeting,for a week,with care,every year".split(",")


class Tokenizer(Protocol):
    """Counts what is billed."""

    def count(self, text: str) -> int:
        """Tokens of `text`."""
        ...


class WordTokenizer:
    """The default: a run of letters, digits and underscores is a token, and so is every other visible character."""

    def count(self, text: str) -> int:
        """Tokens of `text`."""
        return len(_TOKEN.findall(text))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of one of the request's tools."""

    id: str
    name: str
    arguments: str
    """JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model writes, in the pieces in which it streams."""

    thoughts: Sequence[str] = ()
    pieces: Sequence[str] = ()
    calls: Sequence[ToolCall] = ()
    finish: Literal["stop", "length", "tools"] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a chat request asks for, on either wire."""

    texts: Sequence[str]
    """All that is billed as input but images: the messages and the tools."""
    images: int = 0
    begun: Sequence[str] = ()
    """The texts of the assistant's messages."""
    limit: int | None = None
    """Tokens that the answer may have."""
    tools: Sequence[tuple[str, object]] = ()
    """Name and JSON schema of each tool that may be called."""
    must_call: bool = False
    schema: object = None
    """A JSON schema that the answer has to fit; `{}` for any object."""
    megabytes: int = 0
    """Of an answer that is far too long; 0 for one as the model's name says."""


def written(behaviour: Behaviour, asked: Asked) -> Answer:
    """The answer to a request. Where the assistant has begun it already, it is gone on behind that."""
    if asked.megabytes:
        return Answer(pieces=_big(asked.megabytes, behaviour.seed))
    thoughts = _text(behaviour.think, behaviour.seed + _THOUGHT_SEED, 0) if behaviour.think else ()
    if (behaviour.tools or asked.must_call) and asked.tools:
        chosen = asked.tools[: max(1, behaviour.tools)]
        calls = [ToolCall(f"call_{number}", name, _fitting(schema)) for number, (name, schema) in enumerate(chosen, 1)]
        return Answer(thoughts=thoughts, calls=calls, finish="tools")
    pieces = _pieces(behaviour, asked)
    if asked.limit is not None and len(pieces) > asked.limit:
        return Answer(thoughts=thoughts, pieces=pieces[: asked.limit], finish="length")
    return Answer(thoughts=thoughts, pieces=pieces)


def _pieces(behaviour: Behaviour, asked: Asked) -> Sequence[str]:
    if asked.schema is not None:
        pieces = _cut(_fitting(asked.schema))
    elif behaviour.quote:
        pieces = _cut(_quoted("\n".join(asked.texts), behaviour.quote))
    else:
        pieces = _text(behaviour.len, behaviour.seed, behaviour.cite)
    return pieces[_begun(pieces, asked.begun) :]


def _begun(pieces: Sequence[str], texts: Sequence[str]) -> int:
    """How many pieces stand in one of the texts already."""
    most = 0
    for text in texts:
        length = 0
        for count, piece in enumerate(pieces, 1):
            length += len(piece)
            if length >= len(text.rstrip()):
                if "".join(pieces[:count]).strip() == text.strip():
                    most = max(most, count)
                break
    return most


def _cut(text: str) -> tuple[str, ...]:
    """The tokens of a text, each with the white space before it."""
    return tuple(re.findall(r"\s*(?:\w+|[^\w\s])", text))


@lru_cache(maxsize=1024)
def _text(length: int, seed: int, cite: int) -> tuple[str, ...]:
    """Sentences of `length` tokens, no two of them alike; the last one ends with a full stop, wherever it ends."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    pieces: list[str] = []
    seen: set[str] = set()
    number = 0
    while len(pieces) < length:
        words = " ".join(dice.choice(part) for part in (_SUBJECTS, _VERBS, _OBJECTS, _ENDINGS))
        if words in seen:
            words += f" {len(seen)}"
        seen.add(words)
        number += 1
        mark = f" [{(number - 1) % cite + 1}]" if cite else ""
        pieces += _cut(f"{' ' if pieces else ''}{words[0].upper()}{words[1:]}{mark}.")
    if length == 0:
        return ()
    last = pieces[:length]
    last[-1] = "." if length > 1 else "Yes"
    return tuple(last)


@lru_cache(maxsize=4)
def _big(megabytes: int, seed: int) -> tuple[str, ...]:
    """So many million characters in pieces of 64 KiB."""
    text = "".join(_text(20_000, seed, 0)) + " "
    text = text * (_BLOCK // len(text) + 1)
    count, rest = divmod(megabytes * 1_000_000, _BLOCK)
    return (*([text[:_BLOCK]] * count), text[:rest])


def _quoted(prompt: str, count: int) -> str:
    """The first sentence of each of the first passages in a prompt of Ken, each cited."""
    sentences: list[str] = []
    for number, text in _PASSAGE.findall(prompt)[:count]:
        first = _FIRST_SENTENCE.match(text)
        if first:
            sentences.append(f"{first.group().rstrip('.!? ')} [{number}].")
    return " ".join(sentences) or "NOT IN THE DOCUMENTS"


def _fitting(schema: object) -> str:
    """JSON that fits a schema, as far as types, properties, enums and bounds of numbers go."""
    return json.dumps(_value(schema))


def _value(schema: object) -> object:
    told = cast("dict[str, object]", schema) if isinstance(schema, dict) else {}
    if "const" in told:
        return told["const"]
    if options := told.get("enum") or told.get("examples"):
        return cast("list[object]", options)[0]
    if choices := told.get("anyOf") or told.get("oneOf") or told.get("allOf"):
        return _value(cast("list[object]", choices)[0])
    kind = told.get("type")
    return _of_type(cast("list[object]", kind)[0] if isinstance(kind, list) else kind, told)


def _of_type(kind: object, schema: dict[str, object]) -> object:
    match kind:
        case "string":
            return "word"
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
        case "array":
            least = schema.get("minItems", 1)
            return [_value(schema.get("items"))] * (least if isinstance(least, int) else 1)
        case _:
            properties = cast("dict[str, object]", schema.get("properties") or {})
            return {name: _value(inner) for name, inner in properties.items()}
