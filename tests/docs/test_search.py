"""The guide to tuning search, followed: another chunker, and a run of the tuning."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ken.errors import InvalidInput
from tests.architecture.tree import PROJECT
from tests.docs.following import Reader
from tests.docs.guide import section
from tests.knowledge.homes import OPERATOR, opened

GUIDE = "docs/guides/search.md"
PAGES = 6


def handbook(place: Path, questions: Path) -> int:
    """Copy the pages of the example organisation that most is asked about, and those questions; return how many."""
    lines = [json.loads(line) for line in (PROJECT / "examples/questions.jsonl").read_text("utf-8").splitlines()]
    about = {line["id"]: {gold["path"] for gold in line["gold"]} for line in lines}
    counts = Counter(path for paths in about.values() for path in paths if len(paths) == 1 and path.endswith(".md"))
    pages = {path for path, _ in counts.most_common(PAGES)}
    asked = [line for line in lines if about[line["id"]] and about[line["id"]] <= pages]
    for path in pages:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "examples" / path, place / path)
    questions.write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    return len(asked)


async def test_another_chunker_cuts_every_document_anew(newcomer: Reader, tmp_path: Path) -> None:
    """The old passages are searched until the sync, and every command on documents knows; lineage tells the new ones."""
    followed = section(GUIDE, "Chunking")
    place, questions = tmp_path / "handbook", tmp_path / "questions.jsonl"
    handbook(tmp_path, questions)
    doctor, sync, documents = (
        [str(place) if word == "~/handbook" else word for word in command] for command in followed.commands
    )
    await newcomer.ken(*sync)
    async with opened(newcomer.home) as ken:
        first = (await ken.library.documents(OPERATOR))[0].id
        before = await ken.library.passages(first, OPERATOR)

    newcomer.write(followed.toml)
    assert "handbook: not cut as ken.toml says by now" in (await newcomer.ken(*doctor)).out
    refused = await newcomer.ken("tune", "search", str(questions), code=1)
    assert InvalidInput.__name__ in refused.err or "Run `ken sync`" in refused.err
    async with opened(newcomer.home) as ken:
        assert [each.id for each in await ken.library.passages(first, OPERATOR)] == [each.id for each in before]
        assert (await ken.library.search("How much annual leave is there?", OPERATOR)).evidence

    assert " changed, 0 unchanged" in (await newcomer.ken(*sync)).out
    assert "not cut as" not in (await newcomer.ken(*doctor)).out
    assert first in (await newcomer.ken(*documents)).out
    async with opened(newcomer.home) as ken:
        document = await ken.library.document(first, OPERATOR)
        after = await ken.library.passages(first, OPERATOR)
        found = await ken.library.search(json.loads(questions.read_text("utf-8").splitlines()[0])["question"], OPERATOR)
        text = await ken.library.text(first, OPERATOR)
    assert document.lineage.chunker == (
        "1 sliding Chunking(target_tokens=200, max_tokens=250, overlap=0.5, min_tokens=50)"
    )
    assert len(after) > len(before)
    assert all(each.text == text[each.start : each.end] for each in after)
    assert any(one.end > other.start for one, other in pairwise(after))
    cited = found.evidence[0]
    assert all(cited.passage.start <= each.start < each.end <= cited.passage.end for each in cited.sentences)
    answer = await newcomer.ken("ask", json.loads(questions.read_text("utf-8").splitlines()[0])["question"])
    assert "[1]" in answer.out


@pytest.mark.timeout(180)
async def test_the_run_of_the_guide(newcomer: Reader, tmp_path: Path) -> None:
    """Its commands, on a few of the documents: the work is told first, the table has each value, the plot is drawn."""
    place, questions, plot = tmp_path / "handbook", tmp_path / "questions.jsonl", tmp_path / "tuning.svg"
    asked = handbook(tmp_path, questions)
    replaced = {"examples/handbook": place, "examples/questions.jsonl": questions, "tuning.svg": plot}
    sync, tune = ([str(replaced.get(word, word)) for word in command] for command in section(GUIDE, "A run").commands)
    await newcomer.ken(*sync)
    told = await newcomer.ken(*tune)
    assert f"{asked} questions, 2 settings: at most {asked * 7} searches" in told.err
    assert "embedded anew 5 times at most" in told.err
    rows = [line.split("   ")[0].rstrip() for line in told.out.splitlines()]
    sizes = [f"chunk_tokens = {size}" for size in (100, 200, 300, 600, 800)]
    assert rows[1:8] == ["as it is", *sizes, 'fusion = "sum"']
    assert "Keep what you have" in told.out or "[search]" in told.out
    ET.parse(plot)  # noqa: S314 - our own
