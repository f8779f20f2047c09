"""What is expected of every fault in every situation: one table.

Columns. `retry`: the fault meets the first call of a model, and none after it (a fault of the address meets all). `fallback`: it
meets every call of the first of two models. `open`: it has met the model before, which is asked once more. `warm`: the model
has answered the same question before. `stream` and `whole` are how the client asks.

`why` is the reason that the span of a second attempt gives.

A cell says how the answer ends, how many calls went out, and what they cost.

    all         the model's whole answer, once, in one clean stream
    12!         the first twelve tokens, and then one error
    503         that status, and nothing else
    x3          three calls of the model; x3+1: and one of the second
    =           Ken's books say what the provider's say, to the millionth
    ~           the provider didn't say: an estimate, marked as one, within 5 %
    >           marked as an estimate; how far the provider got with an answer that never came only it knows
    -           an address that never worked has answered nothing before
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Literal

Wire = Literal["openai", "anthropic"]

TOKENS = 24
"""Of the answer."""
AT = 12
"""Tokens after which it breaks off."""

TABLE = """
fault    | why        | retry stream| retry whole| fallback stream| fallback whole| open stream| open whole| warm stream| warm whole
refused  | connection | 503 x3 =    | 503 x3 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
dns      | connection | 503 x3 =    | 503 x3 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | -          | -
tls      | connection | 503 x3 =    | 503 x3 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | -          | -
400      | -          | 400 x1 =    | 400 x1 =   | 400 x1+0 =     | 400 x1+0 =    | 400 x1 =   | 400 x1 =  | all x0 =   | all x0 =
401      | -          | 502 x1 =    | 502 x1 =   | all x1+1 =     | all x1+1 =    | 502 x1 =   | 502 x1 =  | all x0 =   | all x0 =
404      | -          | 502 x1 =    | 502 x1 =   | all x1+1 =     | all x1+1 =    | 502 x1 =   | 502 x1 =  | all x0 =   | all x0 =
408      | 408        | all x2 =    | all x2 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
413      | -          | 413 x1 =    | 413 x1 =   | 413 x1+0 =     | 413 x1+0 =    | 413 x1 =   | 413 x1 =  | all x0 =   | all x0 =
429      | 429        | all x2 =    | all x2 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
500      | 500        | all x2 =    | all x2 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
503      | 503        | all x2 =    | all x2 =   | all x3+1 =     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
hanghead | timeout    | all x2 ~    | all x2 ~   | all x3+1 ~     | all x3+1 ~    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
hangtoken| timeout    | all x2 ~    | all x2 ~   | all x3+1 ~     | all x3+1 ~    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
stall    | timeout    | 12! x1 ~    | all x2 >   | all x1+1 ~     | all x3+1 >    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
cut      | interrupted| 12! x1 ~    | all x2 >   | all x1+1 ~     | all x3+1 >    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
bad      | interrupted| 12! x1 ~    | all x2 >   | all x1+1 ~     | all x3+1 >    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
limit    | 429        | 12! x1 ~    | all x2 =   | all x1+1 ~     | all x3+1 =    | 503 x0 =   | 503 x0 =  | all x0 =   | all x0 =
usage    | -          | all x1 ~    | all x1 ~   | all x1+0 ~     | all x1+0 ~    | all x1 ~   | all x1 ~  | all x0 =   | all x0 =
dup      | -          | all x1 =    | all x1 =   | all x1+0 =     | all x1+0 =    | all x1 =   | all x1 =  | all x0 =   | all x0 =
empty    | -          | 502 x1 =    | 502 x1 =   | all x1+1 =     | all x1+1 =    | 502 x1 =   | 502 x1 =  | all x0 =   | all x0 =
big      | -          | 502 x1 >    | 502 x1 >   | all x1+1 >     | all x1+1 >    | 502 x1 >   | 502 x1 >  | all x0 =   | all x0 =
"""

COSTS = """
words                      | openai | anthropic
usagefinal                 | =      | =
usagefinal-cached6-think5  | =      | =
usagefinal-cached6-written5| -      | =
usagelast-think5           | =      | =
usageeach-cached6          | =      | =
usagelate-cached6          | =      | =
usagenone-think5           | ~      | ~
usagezero                  | ~      | ~
usagewrong                 | ~      | ~
"""
"""What a call costs, streamed or whole alike, for every way of stating its usage. `-`: this wire has no such thing."""

WORDS = {
    "refused": "",
    "dns": "",
    "tls": "",
    "429": "429",
    "stall": f"stall{AT}",
    "cut": f"cut{AT}",
    "bad": f"bad{AT}",
    "limit": f"limit{AT}",
    "dup": f"dup{AT}",
    "usage": "usagewrong",
    "big": "big10",
}
"""What a fault is called in the name of a mock model, where that is not its own name."""
ALWAYS = frozenset({"refused", "dns", "tls", "usage"})
"""What can't be for the first call alone."""


UNSEEN = frozenset({("anthropic", "dup")})
"""What can't be told from an answer that is meant so: no two chunks of OpenAI's are alike, and Anthropic's may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault in one situation, and what is expected."""

    fault: str
    why: str
    column: str
    shape: str
    ending: str
    calls: tuple[int, ...]
    """Of each model of the chain."""
    cost: str
    wire: Wire = "openai"
    """The provider's."""

    @property
    def name(self) -> str:
        """As the client names the model, or the tier."""
        return f"{self.column}-{self.shape}-{self.fault}-{self.wire}"

    @property
    def provider_model(self) -> str:
        """What the provider calls the first model: its name says what goes wrong."""
        words = WORDS.get(self.fault, self.fault)
        if words and self.fault not in ALWAYS:
            words += "x1" if self.column == "retry" else ""
        if self.column == "warm":
            words = f"slow0x1-{words}" if words else ""
            answer = "quote1"
        else:
            answer = f"len{TOKENS}"
        return "-".join(filter(None, ("mock", answer, "after0", words, f"id.{self.name}".replace("-", "."))))


def cells(column: str, wire: Wire = "openai") -> list[Cell]:
    """The cells of a column, in the order of the table."""
    head, *rows = [[each.strip() for each in line.split("|")] for line in TABLE.strip().splitlines()]
    found: list[Cell] = []
    for (fault, why, *expected), (place, title) in product(rows, enumerate(head[2:])):
        name, shape = title.split()
        if name != column or expected[place] == "-" or (wire, fault) in UNSEEN:
            continue
        ending, calls, cost = expected[place].split()
        numbers = tuple(int(number) for number in re.findall(r"\d+", calls))
        found.append(
            Cell(fault=fault, why=why, column=name, shape=shape, ending=ending, calls=numbers, cost=cost, wire=wire)
        )
    return found


LEFT = Cell(fault="itl20-seed1", why="-", column="left", shape="stream", ending="", calls=(1,), cost="~")
"""A slow answer, whose client leaves in the middle of it."""


def cost_cells(wire: Wire) -> list[Cell]:
    """A streamed and a whole call for each way of stating usage on a wire, side by side."""
    head, *rows = [[each.strip() for each in line.split("|")] for line in COSTS.strip().splitlines()]
    marks = {row[0]: row[head.index(wire)] for row in rows}
    return [
        Cell(fault=words, why="-", column="cost", shape=shape, ending="all", calls=(1,), cost=mark, wire=wire)
        for words, mark in marks.items()
        if mark != "-"
        for shape in ("stream", "whole")
    ]
