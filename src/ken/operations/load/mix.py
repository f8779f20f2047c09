"""What is asked: which question how often, how much conversation comes before it, streamed or whole. All of it from one seed.

Popularity follows Zipf's law (Breslau et al., "Web caching and Zipf-like distributions", INFOCOM 1999: exponents of 0.64 to
0.83), the words of a conversation so far a log-normal distribution, whose tail is what fills context windows.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ken.errors import InvalidInput

MOST_WORDS = 6_000
"""Of a conversation: longer ones are no chats any more, and the door's bound on a body is not what is tested."""
_ANSWER_WORDS = 70
"""Of an answer that is made up for the conversation so far, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How questions are drawn. Shares are from 0 to 1."""

    popularity: float = 0.7
    """The exponent of Zipf's law; 0 asks all equally often, and more asks the first ones more often."""
    streamed: float = 0.8
    follow_ups: float = 0.35
    """The share of questions that come with a conversation."""
    median_words: float = 150.0
    """Of the conversation so far."""
    spread: float = 1.1
    """The standard deviation of its logarithm: 1.1 makes the longest percent 13 times as long as the median."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Check. Raises InvalidInput."""
        if not (0 <= self.streamed <= 1 and 0 <= self.follow_ups <= 1):
            raise InvalidInput("The shares of streamed questions and of follow-ups are numbers from 0 to 1.")
        if self.median_words <= 0 or self.spread < 0 or self.popularity < 0:
            raise InvalidInput(
                "The median of a conversation's words is above 0, its spread and the popularity not below."
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to be asked."""

    text: str
    history: tuple[tuple[str, str], ...]
    """Pairs of a question and an answer, the oldest first."""
    is_streamed: bool

    @property
    def context_words(self) -> int:
        """Of the conversation so far."""
        return sum(len(question.split()) + len(answer.split()) for question, answer in self.history)

    def messages(self) -> list[dict[str, str]]:
        """As chat completions take them."""
        pairs = ((("user", question), ("assistant", answer)) for question, answer in self.history)
        told = [{"role": role, "content": content} for role, content in itertools.chain.from_iterable(pairs)]
        return [*told, {"role": "user", "content": self.text}]


class Draws:
    """An endless, repeatable sequence of questions."""

    def __init__(self, questions: Sequence[str], mix: Mix) -> None:
        """Raises InvalidInput where there is no question."""
        if not questions:
            raise InvalidInput("There is no question to ask. Name a file of them: `--questions FILE`.")
        self._mix = mix
        self._random = random.Random(mix.seed)  # noqa: S311 - no secret
        self._questions = list(questions)
        self._random.shuffle(self._questions)
        weights = (1 / rank**mix.popularity for rank in range(1, len(self._questions) + 1))
        self._cumulative = list(itertools.accumulate(weights))
        self._words = " ".join(self._questions).split()

    def draw(self) -> Asked:
        """The next one."""
        text = self._one()
        history: tuple[tuple[str, str], ...] = ()
        if self._random.random() < self._mix.follow_ups:
            history = self._conversation()
        return Asked(text, history, self._random.random() < self._mix.streamed)

    def _one(self) -> str:
        return self._random.choices(self._questions, cum_weights=self._cumulative)[0]

    def _conversation(self) -> tuple[tuple[str, str], ...]:
        drawn = self._random.lognormvariate(math.log(self._mix.median_words), self._mix.spread)
        left = min(MOST_WORDS, max(1, round(drawn)))
        turns: list[tuple[str, str]] = []
        while left > 0:
            question = self._one()
            length = max(1, min(left, round(self._random.lognormvariate(math.log(_ANSWER_WORDS), 0.6))))
            turns.append((question, " ".join(self._random.choices(self._words, k=length)).capitalize() + "."))
            left -= length + len(question.split())
        return tuple(turns)


def read_questions(file: Path) -> tuple[str, ...]:
    """The questions of a file: JSON lines with a `question` in each, or one question a line. Raises InvalidInput."""
    try:
        lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The questions {str(file)!r} can't be read: {error}. Name a text file in UTF-8.") from error
    found = [_question(line, number, file=file) for number, line in enumerate(lines, start=1)]
    if not found:
        raise InvalidInput(f"{str(file)!r} holds no question. Put one on each line.")
    return tuple(dict.fromkeys(found))


def _question(line: str, number: int, *, file: Path) -> str:
    if not line.lstrip().startswith("{"):
        return line.strip()
    try:
        told = cast("object", json.loads(line))
    except ValueError as error:
        raise InvalidInput(f"{str(file)!r}, line {number}, is no JSON object: {error}.") from error
    question = cast("dict[str, object]", told).get("question") if isinstance(told, dict) else None
    if not isinstance(question, str) or not question.strip():
        raise InvalidInput(f"{str(file)!r}, line {number}, has no `question`. Give each object one.")
    return question


def about(titles: Sequence[str]) -> tuple[str, ...]:
    """Questions for documents of which only the titles are known."""
    forms = ("What does “{}” say?", "What is the rule in “{}”, and since when?", "Who may I ask about {}?")
    return tuple(form.format(title) for title in dict.fromkeys(titles) for form in forms)
