"""What a sync does to cached answers: those go that rest on what changed, or that something new could better, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ken.domain.answer import Answer
from ken.domain.events import Answered, Event, StageStarted
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.models.extractive import ExtractiveReader
from ken.settings import load
from ken.wiring import Ken, open_home
from tests.assistant.corpus import assistant, tell
from tests.assistant.worlds import page

RUNG, LIT = (
    "The fog bell of the lighthouse is rung every",
    "The lamp of the lighthouse is lit half an hour before sunset.",
)
BELL = "How often is the fog bell of the lighthouse rung?"
LAMP = "When is the lamp of the lighthouse lit?"
FERRY = "What does a ferry ticket cost?"
PAPERS = {
    "bell.md": page("The bell", f"{RUNG} 30 seconds."),
    "lamp.md": page("The lamp", LIT),
    "ferry.md": page("The ferry", "A ferry ticket costs 4 euros, and children pay half."),
    "bread.md": page("The bakery", "Rye bread is baked on Tuesdays in a stone oven."),
}
DAY = "2026-11-22"


@asynccontextmanager
async def home(place: Path, **settings: object) -> AsyncIterator[Ken]:
    """An open home."""
    ken = await open_home(load(place / "home", **settings))
    try:
        yield ken
    finally:
        await ken.aclose()


def write(folder: Path, papers: Mapping[str, str | None]) -> None:
    """Write these; remove those that are None."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in papers.items():
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, encoding="utf-8")


async def sync(ken: Ken, folder: Path, papers: Mapping[str, str | None]) -> None:
    """Write and remove papers, and sync their folder."""
    write(folder, papers)
    report = await ken.library.sync_folder(folder, collection="papers")
    assert not report.failures


async def answer(ken: Ken, text: str, principal: Principal = LOCAL_OPERATOR, today: str = DAY) -> Answer:
    """What the home's own assistant answers."""
    told = await tell(ken.assistant, text, principal=principal, today=today)
    assert isinstance(told.last, Answered), told.last
    return told.last.answer


async def cached(ken: Ken, *questions: str) -> list[bool]:
    """Which of these are answered from the cache; they are, the next time."""
    return [(await answer(ken, text)).cached for text in questions]


CHANGES: dict[str, tuple[dict[str, str | None], list[bool]]] = {
    "nothing": ({}, [True, True, True]),
    "unrelated": ({"oats.md": page("The mill", "The mill grinds oats for porridge in winter.")}, [True, True, True]),
    "uncited": ({"bread.md": page("The bakery", "Rye bread is baked on Fridays in a gas oven.")}, [True, True, True]),
    "changed": (
        {"bell.md": page("The bell", f"{RUNG} 90 seconds.")},
        [False, True, True],
    ),
    "deleted": ({"ferry.md": None}, [True, True, False]),
    "superseded": (
        {"bell-2.md": page("The new horn", "Keepers sound a horn instead.", supersedes="bell.md")},
        [False, True, True],
    ),
    "narrowed": (
        {"lamp.md": page("The lamp", LIT, groups="[keepers]")},
        [True, False, True],
    ),
    "bettered": (
        {"tickets.md": page("Prices", "A ferry ticket costs 6 euros from the first of May.")},
        [True, True, False],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_sync_retires_what_it_concerns_and_nothing_else(tmp_path: Path, change: str) -> None:
    """Answers whose documents stay as they are, and that nothing new is nearer to, are given again after it."""
    papers, survive = CHANGES[change]
    questions = (BELL, LAMP, FERRY)
    async with home(tmp_path) as ken:
        await sync(ken, tmp_path / "papers", PAPERS)
        assert await cached(ken, *questions) == [False, False, False]
        assert await cached(ken, *questions) == [True, True, True]
        await sync(ken, tmp_path / "papers", papers)
        assert await cached(ken, *questions) == survive


async def test_an_answer_outlives_the_process(tmp_path: Path) -> None:
    """A home that is opened again gives the answers that it kept, to other words as well."""
    async with home(tmp_path) as ken:
        await sync(ken, tmp_path / "papers", PAPERS)
        first = await answer(ken, BELL)
    async with home(tmp_path) as ken:
        again = await answer(ken, "How frequently is the lighthouse's fog bell rung?")
        assert (again.cached, again.original_trace_id, again.text) == (True, first.trace_id, first.text)


async def test_an_answer_that_a_sync_overtook_is_not_kept(tmp_path: Path) -> None:
    """It was made of what is no more: the next one who asks gets what holds now."""
    folder = tmp_path / "papers"
    async with home(tmp_path) as ken:
        await sync(ken, folder, PAPERS)
        asked = assistant(ken, ExtractiveReader(), cache=True)
        changed = {"bell.md": page("The bell", f"{RUNG} 90 seconds.")}

        async def overtaken(event: Event) -> None:
            if event == StageStarted("generate"):
                await sync(ken, folder, changed)

        first = await tell(asked, BELL, meanwhile=overtaken)
        assert "30 seconds" in first.text
        second = await tell(asked, BELL)
        assert isinstance(second.last, Answered)
        assert (second.last.answer.cached, "90 seconds" in second.text) == (False, True)


async def test_an_answer_holds_until_the_day_on_which_its_documents_stand_otherwise(tmp_path: Path) -> None:
    """Not on its day alone: until one takes effect that replaces what it cites, or what it cites is due for review."""
    papers = {
        "bell.md": page("The bell", f"{RUNG} 30 seconds.", review_by="2026-12-10"),
        "bell-2.md": page(
            "The new bell",
            f"{RUNG} 90 seconds.",
            supersedes="bell.md",
            effective="2027-01-01",
        ),
    }
    async with home(tmp_path) as ken:
        await sync(ken, tmp_path / "papers", papers)
        assert not (await answer(ken, BELL, today="2026-11-22")).cached
        for day in ("2026-11-23", "2026-12-10"):
            assert (await answer(ken, BELL, today=day)).cached
        due = await answer(ken, BELL, today="2026-12-11")
        assert (due.cached, due.citations[0].review_due) == (False, True)
        assert (await answer(ken, BELL, today="2026-12-31")).cached
        later = await answer(ken, BELL, today="2027-01-01")
        assert (later.cached, "90 seconds" in later.text) == (False, True)


async def test_what_is_asked_of_a_time_is_kept_for_its_day(tmp_path: Path) -> None:
    """Last year is another year tomorrow."""
    question = "How often was the fog bell of the lighthouse rung last year?"
    async with home(tmp_path) as ken:
        await sync(ken, tmp_path / "papers", PAPERS)
        assert not (await answer(ken, question)).cached
        assert (await answer(ken, question)).cached
        assert not (await answer(ken, question, today="2026-11-23")).cached
