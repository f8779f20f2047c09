"""The grammar of a mock model's name, and what a name asks for.

A name is a family and words, joined by `-`: `mock-ttft50-itl5-len40-cut12x1-seed3`. The order of the words is free, but
for faults: they take turns in the order in which they stand. docs/guides/mock-provider.md lists every word.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from ken.errors import InvalidInput

FaultKind = Literal[
    "status", "slow", "hanghead", "hangtoken", "stall", "cut", "bad", "error", "limit", "dup", "empty", "big"
]
UsageShape = Literal["final", "last", "each", "none", "late", "zero", "wrong"]

STATUSES = (400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529)
USAGE_SHAPES: tuple[UsageShape, ...] = ("final", "last", "each", "none", "late", "zero", "wrong")
PLACED = ("stall", "cut", "bad", "error", "limit", "dup", "slow", "big")
BARE = ("hanghead", "hangtoken", "empty")
NUMBERS = "head ttft itl len seed rpm tpm after cite quote cached written think tools dim".split()
FLAGS = ("afterdate",)
"""Words of the grammar, by what follows them: faults at a place, faults alone, settings with a number, settings alone."""
_MOST = 10_000_000
_ALL = 100


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a US dollar per million tokens."""

    input: int
    cached: int
    """Of the input: what the provider had in its prompt cache."""
    written: int
    """Of the input: what it put there."""
    output: int


FAMILIES = {
    "mock": Price(1_000_000, 100_000, 1_250_000, 4_000_000),
    "mocksmall": Price(150_000, 75_000, 187_500, 600_000),
    "mocklarge": Price(15_000_000, 1_500_000, 18_750_000, 75_000_000),
    "mockfree": Price(0, 0, 0, 0),
}
"""The first word of a name, and what such a model costs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, and which calls it is for."""

    kind: FaultKind
    at: int = 0
    """The token before which it happens, an HTTP status, milliseconds, or megabytes; by its kind."""
    calls: int | None = None
    """It takes so many calls and leaves the rest to what follows; None for all that are left."""
    share: int = _ALL
    """Percent of its calls that fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a model's name asks for. Times in milliseconds, lengths in tokens."""

    family: str = "mock"
    head: int = 0
    """From the request to the answer's headers."""
    ttft: int = 0
    """From the headers to the first token."""
    itl: int = 0
    """From one token to the next."""
    len: int = 40
    seed: int = 0
    rpm: int = 0
    """Requests in any 60 seconds; 0 for any number. So `tpm`, in tokens."""
    tpm: int = 0
    after: int = 1
    """What `Retry-After` says, in seconds, where the server can't know better."""
    afterdate: bool = False
    """`Retry-After` is a date."""
    cite: int = 0
    """Each sentence cites one of [1] to [cite], by turns."""
    quote: int = 0
    """The answer is the first sentence of each of so many passages of the prompt, cited."""
    cached: int = 0
    """Prompt tokens that are billed as read from the provider's cache. So `written`, as put there."""
    written: int = 0
    think: int = 0
    """Reasoning tokens, before the answer."""
    tools: int = 0
    """Calls of the first so many of the request's tools."""
    dim: int = 8
    """The length of an embedding."""
    usage: UsageShape = "final"
    faults: tuple[Fault, ...] = ()

    @property
    def price(self) -> Price:
        """What the family costs."""
        return FAMILIES[self.family]

    def fault(self, number: int) -> Fault | None:
        """What goes wrong in the `number`-th call, from 1 on."""
        left = number
        for place, fault in enumerate(self.faults):
            if fault.calls is None or left <= fault.calls:
                if fault.share == _ALL or _drawn(self.seed, place, number) < fault.share:
                    return fault
                if fault.calls is not None:
                    return None
            else:
                left -= fault.calls
        return None


_WORD = re.compile(
    r"(?P<status>\d{3})(?P<status_calls>x\d+|p\d+)?"
    rf"|(?P<placed>{'|'.join(PLACED)})(?P<at>\d+)(?P<placed_calls>x\d+|p\d+)?"
    rf"|(?P<bare>{'|'.join(BARE)})(?P<bare_calls>x\d+|p\d+)?"
    rf"|usage(?P<usage>{'|'.join(USAGE_SHAPES)})"
    rf"|(?P<flag>{'|'.join(FLAGS)})"
    rf"|(?P<number>{'|'.join(NUMBERS)})(?P<value>\d+)"
    r"|(?P<label>id[a-z0-9_.]+)"
)


@lru_cache(maxsize=4096)
def parse(name: str) -> Behaviour:
    """Read a model's name. Raises InvalidInput for a word that is none, and for a family that nobody knows."""
    family, *words = name.split("-")
    if family not in FAMILIES:
        raise InvalidInput(
            f"The model {name!r} is not a mock's: its name begins with one of {', '.join(FAMILIES)}.", param="model"
        )
    told: dict[str, object] = {"family": family}
    faults: list[Fault] = []
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            raise InvalidInput(
                f"{word!r} in the model's name {name!r} is no word of the mock provider. "
                f"Numbers: {', '.join(NUMBERS)}; faults: a status, {', '.join((*PLACED, *BARE))}; "
                f"usage{'|'.join(USAGE_SHAPES)}; {', '.join(FLAGS)}; id and any letters.",
                param="model",
            )
        if fault := _fault(name, match):
            faults.append(fault)
        else:
            told |= _setting(name, match)
    return Behaviour(**told, faults=tuple(faults))  # pyright: ignore[reportArgumentType] - each value is checked above


def _setting(name: str, match: re.Match[str]) -> dict[str, object]:
    if match["usage"]:
        return {"usage": cast("UsageShape", match["usage"])}
    if match["flag"]:
        return {match["flag"]: True}
    if match["label"]:
        return {}
    value = int(match["value"])
    if value > _MOST:
        raise InvalidInput(
            f"{match.group()!r} in the model's name {name!r} is too large; up to {_MOST}.", param="model"
        )
    return {match["number"]: value}


def _fault(name: str, match: re.Match[str]) -> Fault | None:
    kind = match["placed"] or match["bare"] or ("status" if match["status"] else None)
    if kind is None:
        return None
    at = int(match["at"] or match["status"] or 0)
    if kind == "status" and at not in STATUSES:
        raise InvalidInput(
            f"{match['status']} in the model's name {name!r} is no status that the mock provider answers with. "
            f"They are {', '.join(map(str, STATUSES))}.",
            param="model",
        )
    which = match["status_calls"] or match["placed_calls"] or match["bare_calls"] or ""
    number = int(which[1:] or 0)
    return Fault(
        cast("FaultKind", kind),
        at,
        calls=number if which.startswith("x") else None,
        share=number if which.startswith("p") else _ALL,
    )


def _drawn(seed: int, place: int, number: int) -> int:
    """A number below 100 that is the same in every run."""
    return random.Random(f"{seed}/{place}/{number}").randrange(_ALL)  # noqa: S311 - no secret
