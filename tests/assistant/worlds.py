"""Small homes of documents written in a test, and questions to them on a given day."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ken.domain.answer import Answer
from ken.domain.events import Answered
from ken.models.extractive import ExtractiveReader
from ken.models.protocols import ChatModel
from ken.settings import load
from ken.wiring import Ken, open_home
from tests.assistant.corpus import Told, assistant, tell

TODAY = "2026-11-22"


@asynccontextmanager
async def world(place: Path, documents: Mapping[str, str]) -> AsyncGenerator[Ken]:
    """An open home with these documents as the collection `rules`."""
    folder = place / "rules"
    for name, text in documents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    opened = await open_home(load(place / "home"))
    try:
        report = await opened.library.sync_folder(folder, collection="rules")
        assert not report.failures
        yield opened
    finally:
        await opened.aclose()


def page(title: str, *lines: str, **facts: str) -> str:
    """A Markdown document with front matter."""
    head = "\n".join(f"{name}: {value}" for name, value in facts.items())
    body = "\n\n".join(lines)
    return f'---\ntitle: "{title}"\n{head}\n---\n\n# {title}\n\n{body}\n'


async def ask(ken: Ken, question: str, *, model: ChatModel | None = None, today: str = TODAY, **more: object) -> Told:
    """Ask the extractive reader, or a model of one's choice, on a day."""
    return await tell(assistant(ken, model or ExtractiveReader()), question, today=today, **more)


def answer_of(told: Told) -> Answer:
    """The whole answer, whose text is what was shown."""
    assert isinstance(told.last, Answered), told.last
    assert told.last.answer.text == told.text
    return told.last.answer


def quoted(answer: Answer) -> dict[str, str]:
    """The answer's sentences by the documents that they cite, as offsets tell."""
    return {
        citation.document_id.removeprefix("rules/"): answer.text[citation.answer_start : citation.answer_end]
        for citation in answer.citations
    }
