"""Question sets: JSON lines, one case a line."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ken.domain.answer import Message
from ken.errors import InvalidCases

AMBIGUOUS = "ambiguous"
"""The kind of a question that the documents answer in several ways: a question back is right."""
WANTS_ABSTENTION = frozenset({"unanswerable", "out_of_scope", "injection"})
"""Kinds for which an abstention is right; for all others it is a false one."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Gold(_Frozen):
    """Where the answer stands: the document, and a verbatim piece of it."""

    path: str
    """`collection/path`, which is the document's id."""
    evidence: str


class HistoryTurn(_Frozen):
    """An earlier question of a follow-up, with the answer it got."""

    user: str
    assistant: str = ""


class Expected(_Frozen):
    """One reading of an ambiguous question."""

    name: str
    """What tells it from the others: words of it stand in the choice that offers it."""
    path: str
    """`collection/path` of the document that it is answered from."""


class Case(_Frozen):
    """One question with what a right answer has to hold."""

    id: str
    question: str
    kind: str
    collection: str = "all"
    """The collection that it is asked in; `all` for no restriction."""
    gold: tuple[Gold, ...] = ()
    facts: tuple[str, ...] = ()
    answer: str = ""
    history: tuple[HistoryTurn, ...] = ()
    readings: tuple[Expected, ...] = ()
    """Of an ambiguous question: two or more."""
    part: str = ""
    """Which half of a tuning it belongs to, `tune` or `report`; any other word leaves that to the tuning."""

    @property
    def collections(self) -> frozenset[str] | None:
        """Where it is asked; None for everywhere."""
        return None if self.collection == "all" else frozenset({self.collection})

    @property
    def messages(self) -> tuple[Message, ...]:
        """The history as messages, oldest first."""
        pairs = ((Message("user", turn.user), Message("assistant", turn.assistant)) for turn in self.history)
        return tuple(message for pair in pairs for message in pair if message.content)

    @property
    def wants_abstention(self) -> bool:
        """Whether the documents don't hold the answer."""
        return self.kind in WANTS_ABSTENTION


def load_cases(path: Path) -> tuple[Case, ...]:
    """Read a question file. Raises InvalidCases, naming file, line and what is wrong there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCases(f"The question file {str(path)!r} can't be read: {error}.") from error
    cases: list[Case] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = Case.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the line"
            raise InvalidCases(
                f"{str(path)!r}, line {number}: {where}: {problem['msg']}. A case is one JSON object a line."
            ) from error
        if case.id in seen:
            raise InvalidCases(
                f"{str(path)!r}, line {number}: the id {case.id!r} stands twice. Give each case its own."
            )
        seen.add(case.id)
        cases.append(case)
    if not cases:
        raise InvalidCases(f"The question file {str(path)!r} holds no cases. Put one JSON object on each line.")
    return tuple(cases)
