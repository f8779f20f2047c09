"""What a rule is shown of an answer, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ken.checks.heuristics.standards import Standards
from ken.domain.answer import Citation
from ken.domain.checked import Checked
from ken.domain.wire import Json

Door = Literal["assistant", "gateway"]
"""Where an answer goes out: Ken's own, from documents; or an application's call of a model."""

MOST_READ = 20_000
"""Characters of an answer whose wording is looked at: about 3,000 words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A passage as the model was given it."""

    id: str
    start: int
    end: int
    """Its span in the document."""
    text: str
    """Marks included, with the header row of the table that it begins in."""
    about: str = ""
    """What else the model was told of it: title, headings, owner, dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer with all that rules compare it with."""

    text: str
    outcome: str = "answered"
    task_type: str = ""
    question: str = ""
    standalone: str = ""
    """The question as it would be asked without the conversation before it."""
    citations: tuple[Citation, ...] = ()
    passages: tuple[Given, ...] = ()
    """Empty where none was given to the model, as with an answer from the cache: then nothing can be compared with them."""
    schema: Mapping[str, Json] | None = None
    """Of the JSON that was asked for, `{}` for any object; None where text was."""
    calls_tools: bool = False
    """It consists of tool calls, or has some."""
    door: Door = "assistant"

    @property
    def head(self) -> str:
        """The part of the text whose wording is looked at."""
        return self.text[:MOST_READ]

    @property
    def is_given(self) -> bool:
        """Whether it is an answer at all: an abstention, a refusal and a question back are worded by Ken."""
        return self.outcome == "answered" and bool(self.text)


Finding = str | None
"""What is wrong, in words for people; "": nothing; None: there was nothing to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One check. Its name is what the record, the settings and the audit call it."""

    name: str
    meaning: str
    """An answer that it finds a fault in ..."""
    find: Callable[[Answered, Standards], Finding]
    doors: frozenset[Door] = frozenset({"assistant"})
    is_told: bool = False
    """Whether whoever asked is told what it found, since there is something that they should do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule found."""

    rule: str
    detail: str
    is_told: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """What the rules said of one answer."""

    checked: tuple[str, ...] = ()
    """Names of the rules that had something to look at, in their order."""
    faults: tuple[Fault, ...] = ()

    @property
    def told(self) -> Checked:
        """The names alone, for the trace."""
        return Checked(checked=self.checked, failed=tuple(fault.rule for fault in self.faults))
