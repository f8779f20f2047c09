"""The extractive reader: it quotes, cites each quotation, keeps lists in order, and abstains when it is told to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ken.domain.answer import TaskType
from ken.domain.deadline import Deadline
from ken.domain.document import Evidence
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.usage import Usage
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.extractive import ExtractiveReader
from ken.settings import load
from ken.text.tokens import words
from ken.wiring import Ken, open_home
from tests.assistant.corpus import LIT, QUESTION, WATCH

QUESTIONS = (
    QUESTION,
    "How long does a watch last?",
    "How often is the lens cleaned, and with what?",
    "Are visitors allowed in the lamp room?",
    "How much does a keeper earn?",
    "Who writes the roster?",
    "Who signs the visitors' book?",
)


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader made of a question, and what it had to read."""

    deltas: tuple[ChatDelta, ...]
    evidence: tuple[Evidence, ...]

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(delta.text for delta in self.deltas)

    @property
    def quotations(self) -> list[tuple[str, int]]:
        """Each quotation with the number that it cites."""
        pieces = [delta.text for delta in self.deltas if delta.text and not delta.text.endswith("”:\n")]
        found = [re.fullmatch(r"\s*(?:\d+\. |- )?(.+) \[(\d+)\]", piece, re.DOTALL) for piece in pieces]
        assert all(found), pieces
        return [(match[1], int(match[2])) for match in found if match]


async def read(
    ken: Ken,
    question: str,
    *,
    task: TaskType = "lookup",
    answerable: float = 0.9,
    max_tokens: int | None = None,
) -> Read:
    """Search, and let the reader answer from what is found."""
    found = await ken.library.search(question, LOCAL_OPERATOR, limit=6)
    request = ChatRequest(
        messages=(),
        question=question,
        evidence=found.evidence,
        deadline=Deadline.after(10),
        task=task,
        answerable=answerable,
        max_tokens=max_tokens,
    )
    return Read(tuple([delta async for delta in ExtractiveReader().stream(request)]), found.evidence)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_sentence_is_a_quotation_with_its_source(ken: Ken, question: str) -> None:
    """Each piece is a sentence of the passage that it cites, and ends with that citation."""
    answer = await read(ken, question)
    assert answer.quotations
    for quotation, number in answer.quotations:
        texts = [sentence.text.rstrip(".") for sentence in answer.evidence[number - 1].sentences]
        assert quotation.rstrip(".") in texts


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_word_is_its_own(ken: Ken, question: str) -> None:
    """Every word of an answer stands in a passage or a title that it was given."""
    answer = await read(ken, question)
    given = {word for item in answer.evidence for word in words(f"{item.passage.text} {item.document.title}")}
    assert set(words(re.sub(r" \[\d+\]|(?m:^\d+\. )", "", answer.text))) <= given


async def test_the_best_sentence_comes_with_few_others(ken: Ken) -> None:
    """The answer holds the sentence that answers, and doesn't quote whole pages around it."""
    assert LIT in (await read(ken, QUESTION)).text
    answer = await read(ken, "How long does a watch last?")
    assert WATCH in answer.text
    assert len(words(answer.text)) < 100


async def test_a_procedure_is_a_list_in_order(ken: Ken) -> None:
    """All of its steps, numbered as in the document, a line each."""
    answer = await read(ken, "How do I change the bulb?", task="procedure")
    steps = [
        "1. Switch the mains off at panel B.",
        "2. Let the bulb cool for 20 minutes.",
        "3. Turn the bulb to the left and lift it out.",
    ]
    lines = [re.sub(r" \[\d+\]$", "", line) for line in answer.text.splitlines()]
    assert lines[: len(steps)] == steps


async def test_a_lead_in_keeps_its_points(tmp_path: Path) -> None:
    """A sentence that ends in a colon comes with what it leads to."""
    folder = tmp_path / "storm"
    folder.mkdir()
    (folder / "storm.md").write_text(
        "# Storm\n\nBefore a storm the keeper secures these three things:\n\n- the shutters\n- the boat in its shed\n"
        "- the flag on the mast\n\nThe storm log is kept for ten years.\n",
        encoding="utf-8",
    )
    own = await open_home(load(tmp_path / "home"))
    await own.library.sync_folder(folder, collection="storm")
    answer = await read(own, "What does the keeper secure before a storm?")
    await own.aclose()
    assert "Before a storm the keeper secures these three things:" in answer.text
    assert [answer.text.find(point) > 0 for point in ("the shutters", "the boat", "the flag")] == [True] * 3
    assert "ten years" not in answer.text


async def test_an_answer_keeps_to_its_greatest_length(ken: Ken) -> None:
    """A smaller limit gives the beginning of the answer, whole sentences of it, and at least the first."""
    whole = await read(ken, "How do I change the bulb?", task="procedure")
    lengths: list[int] = []
    for limit in (1, 15, 30, 1000):
        cut = await read(ken, "How do I change the bulb?", task="procedure", max_tokens=limit)
        assert whole.text.startswith(cut.text)
        assert cut.text.endswith("]")
        lengths.append(len(cut.quotations))
    assert lengths[0] == 1
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(whole.quotations) > 2


async def test_it_tells_its_confidence_and_costs_nothing(ken: Ken) -> None:
    """The last delta has the probability that it was given, a finish reason, and a usage of nothing."""
    last = (await read(ken, QUESTION, answerable=0.87)).deltas[-1]
    assert last == ChatDelta(finish_reason="stop", usage=Usage(), confidence=0.87)


async def test_it_abstains_when_the_passages_hardly_answer(ken: Ken) -> None:
    """Not a word, the reason, and how little confidence there was."""
    answer = await read(ken, QUESTION, answerable=0.01)
    assert answer.deltas == (ChatDelta(finish_reason="abstain", usage=Usage(), confidence=0.01),)


async def test_without_passages_there_is_nothing_to_say() -> None:
    """No evidence, no text, and no error."""
    request = ChatRequest(messages=(), question="When?", evidence=(), deadline=Deadline.after(5))
    assert "".join([delta.text async for delta in ExtractiveReader().stream(request)]) == ""


async def test_what_was_superseded_is_not_quoted_beside_what_holds(ken: Ken) -> None:
    """Where a page in force answers, the page it replaced is left alone."""
    found = await ken.library.search("How long does a watch last?", LOCAL_OPERATOR, limit=6)
    ordered = sorted(found.evidence, key=lambda item: item.document.superseded_by is not None)
    evidence = tuple(replace(item, relevance=0.9 - 0.1 * at) for at, item in enumerate(ordered))
    request = ChatRequest(
        messages=(), question="How long does a watch last?", evidence=evidence, deadline=Deadline.after(5)
    )
    text = "".join([delta.text async for delta in ExtractiveReader().stream(request)])
    assert "6 hours" in text
    assert "8 hours" not in text


async def test_the_same_question_has_the_same_answer(ken: Ken) -> None:
    """Nothing is drawn by chance."""
    assert (await read(ken, QUESTION)).deltas == (await read(ken, QUESTION)).deltas
