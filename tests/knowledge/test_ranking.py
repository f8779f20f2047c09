from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest

from ken.domain.document import Evidence
from ken.knowledge.calibration import WITH_WORDS, WITHOUT_WORDS, Model, PassageScores
from ken.knowledge.late import PassageWords, interaction, read_question, telling_words, unit
from ken.knowledge.options import SearchOptions
from ken.models.protocols import WordEmbedder
from ken.text.markup import plain
from ken.text.tokens import terms
from ken.wiring import Ken
from tests.knowledge.homes import ANYBODY, FERRY, OPERATOR, PAPERS, elsewhere, fresh, opened, sync

WORDS = (
    "anchor ballast beacon berth bilge bosun buoy cabin capstan cargo chart compass crane davit deck diesel dinghy dock "
    "drift ferry fender galley gangway hatch hawser helm hull jetty keel knot ladder lantern lifebelt mast mooring "
    "oakum paddle pilot port propeller pump quay radar rigging rope rudder sail sextant shackle signal sounding stern "
    "tide tiller tug valve wharf winch SEV-3 max_speed port@harbour.example"
).split()
QUERIES = [
    "Where is the capstan?",
    "rope rope rope and the winch",
    "bosun dinghy sextant lantern oakum",
    "SEV-3 port@harbour.example max_speed",
    "the zeppelin over the quay",
]


def paper(number: int) -> str:
    """A document of random words under three headings."""
    dice = random.Random(number)
    title = f"---\ntitle: {' '.join(dice.choices(WORDS, k=3))}\n---\n" if number % 2 else ""
    sections = [
        f"## {' '.join(dice.choices(WORDS, k=dice.randint(1, 5)))}\n\n{' '.join(dice.choices(WORDS, k=dice.randint(20, 160)))}.\n"
        for _ in range(3)
    ]
    return title + "\n".join(sections)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """A home with twelve documents of random words, less than fifty passages."""
    place = tmp_path_factory.mktemp("ranking")

    async def fill() -> None:
        async with opened(fresh(place / "home", made)) as ken:
            await sync(ken, place / "papers", {f"{number}.md": paper(number) for number in range(12)})

    elsewhere(fill)
    return place / "home"


@pytest.fixture(scope="module")
async def ken(filled: Path) -> AsyncIterator[Ken]:
    async with opened(filled) as ken:
        yield ken


@dataclass(frozen=True, slots=True)
class Fielded:
    """A passage as BM25F sees it: its terms in three fields, with each field's weight and b."""

    body: Counter[str]
    heading: Counter[str]
    title: Counter[str]

    def fields(self) -> Sequence[tuple[Counter[str], float, float]]:
        """Field, weight, b."""
        return (self.body, 1.0, 0.6), (self.heading, 1.6, 0.4), (self.title, 1.6, 0.4)


async def fielded(ken: Ken) -> dict[str, Fielded]:
    """Every passage of the home, by id."""
    return {
        passage.id: Fielded(
            body=Counter(terms(plain(passage.text, document.markup))),
            heading=Counter(term for heading in passage.heading_path for term in terms(heading)),
            title=Counter(terms(document.title)),
        )
        for document in await ken.library.documents(OPERATOR)
        for passage in await ken.library.passages(document.id, OPERATOR)
    }


def bm25f(query: str, passages: Mapping[str, Fielded], passage_id: str) -> float:
    """Robertson and Zaragoza (2009), section 3.6, word for word; the idf in Lucene's form, the score times k1 + 1."""
    total = 0.0
    for term in set(terms(query)):
        holding = sum(any(field[term] for field, _, _ in each.fields()) for each in passages.values())
        idf = math.log(1 + (len(passages) - holding + 0.5) / (holding + 0.5))
        frequency = 0.0
        for index, (field, weight, b) in enumerate(passages[passage_id].fields()):
            average = sum(each.fields()[index][0].total() for each in passages.values()) / len(passages)
            frequency += weight * field[term] / (1 - b + b * field.total() / (average or 1))
        total += idf * frequency * 2.2 / (1.2 + frequency)
    return total


@pytest.mark.parametrize("query", QUERIES)
async def test_lexical_scores_are_bm25f(ken: Ken, query: str) -> None:
    """The index gives every passage the score that the formula gives, computed slowly from the texts."""
    passages = await fielded(ken)
    result = await ken.library.search(query, OPERATOR, limit=50)
    assert {evidence.passage.id for evidence in result.evidence} == passages.keys()
    assert any(evidence.lexical for evidence in result.evidence)
    for evidence in result.evidence:
        assert evidence.lexical == pytest.approx(bm25f(query, passages, evidence.passage.id), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("query", QUERIES)
async def test_fused_scores_are_reciprocal_rank_fusion(ken: Ken, query: str) -> None:
    """Each passage has the sum of 1 / (k + rank) over the three lists that it stands in."""
    found = list((await ken.library.search(query, OPERATOR, limit=50)).evidence)
    found.sort(key=lambda evidence: (evidence.document.id, evidence.passage.ordinal))
    lists = [
        [evidence.lexical for evidence in found],
        [evidence.dense for evidence in found],
        [max((sentence.similarity for sentence in evidence.sentences), default=-1.0) for evidence in found],
    ]
    for index, evidence in enumerate(found):
        expected = 0.0
        for scores in lists:
            if scores[index] > 0:
                rank = 1 + sum(other > scores[index] for other in scores) + scores[:index].count(scores[index])
                expected += 1 / (SearchOptions().fusion_k + rank)
        assert evidence.fused == pytest.approx(expected, rel=1e-9)


async def test_lists_can_be_fused_by_their_scores(ken: Ken) -> None:
    """Then each passage has the weighted sum of its scores, each list's between 0 for its last and 1 for its best."""
    options = SearchOptions(fusion="sum", lexical_weight=2.0, sentence_weight=0.5)
    corpus = replace(await ken.library.corpus(), options=options)
    found = (await corpus.search(QUERIES[0], OPERATOR, limit=50)).evidence
    lists = (
        ([evidence.lexical for evidence in found], 2.0),
        ([evidence.dense for evidence in found], 1.0),
        ([max((sentence.similarity for sentence in each.sentences), default=-1.0) for each in found], 0.5),
    )
    for index, evidence in enumerate(found):
        expected = 0.0
        for scores, weight in lists:
            listed = [score for score in scores if score > 0]
            if scores[index] > 0:
                expected += weight * (scores[index] - min(listed)) / (max(listed) - min(listed))
        assert evidence.fused == pytest.approx(expected, abs=1e-5)


async def test_dense_scores_are_cosines(home: Path, folder: Path) -> None:
    """A passage that fits one window has that of the question with its title, headings and text; a sentence that of its part."""
    async with opened(home) as ken:
        await sync(
            ken, folder, {"tide.md": "# Tides\n\n## Spring tides\n\nThe water rises by four metres at full moon.\n"}
        )
        question = "How high does the water rise?"
        evidence = (await ken.library.search(question, OPERATOR)).evidence[0]
        text = "Tides. Spring tides. " + plain(evidence.passage.text, "markdown")
        sentence = "The water rises by four metres at full moon."
        embedder = ken.library.ingest.embedder
        asked, whole = await embedder.embed([question, text])
        _, (part,) = await embedder.embed_parts([text], [[(text.index(sentence), len(text))]])
        assert evidence.passage.heading_path == ("Tides", "Spring tides")
        assert evidence.dense == pytest.approx(float(asked @ whole), abs=2e-3)
        assert evidence.sentences[-1].text == sentence
        assert evidence.sentences[-1].similarity == pytest.approx(float(asked @ part / np.linalg.norm(part)), abs=1e-2)


async def test_coverage_is_the_share_of_rare_terms(ken: Ken) -> None:
    """A passage's coverage is the idf of the question's terms that it holds, of the idf of all of them."""
    passages = await fielded(ken)
    result = await ken.library.search(QUERIES[2], OPERATOR, limit=50)
    worth = dict(result.terms)
    assert worth.keys() == set(terms(QUERIES[2]))
    for evidence in result.evidence:
        holds = [term for term in worth if any(field[term] for field, _, _ in passages[evidence.passage.id].fields())]
        assert evidence.coverage == pytest.approx(sum(worth[term] for term in holds) / sum(worth.values()), abs=1e-5)


@pytest.mark.parametrize("query", QUERIES)
async def test_relevance_is_a_probability_in_order(ken: Ken, query: str) -> None:
    """Between 0 and 1, best first; a smaller limit cuts the same list."""
    found = (await ken.library.search(query, OPERATOR, limit=50)).evidence
    values = [evidence.relevance for evidence in found]
    assert values == sorted(values, reverse=True)
    assert 0 <= values[-1] <= values[0] <= 1
    first: tuple[Evidence, ...] = (await ken.library.search(query, OPERATOR, limit=3)).evidence
    assert first == found[:3]


@pytest.mark.parametrize("model", [WITH_WORDS, WITHOUT_WORDS], ids=["with words", "without"])
def test_relevance_grows_with_the_score(model: Model) -> None:
    """The calibrated value keeps the order of the scores, and stays between 0 and 1 however far they lie."""
    dice = np.random.default_rng(7)
    columns = {field.name: dice.uniform(-1, 1, 500).astype(np.float32) for field in fields(PassageScores)}
    score = np.sort(model.score(PassageScores(**columns)))
    relevance = model.relevance(score)
    assert (np.diff(relevance) >= 0).all()
    assert 0 < relevance[0] < relevance[-1] < 1
    assert (model.relevance(np.array([-1e9, 1e9])) > 0).all()
    assert (np.diff(np.array(model.knots), axis=0) > 0).all()


async def test_a_word_of_like_meaning_brings_a_passage_nearer(ken: Ken) -> None:
    """Of two passages, the one with a word near to the question's is the better one by late interaction."""
    embedder = ken.library.ingest.embedder
    assert isinstance(embedder, WordEmbedder)
    _, asked = await read_question(embedder, "When does the boat leave?")
    found: list[PassageWords] = []
    for text in ("The ferry departs at noon.", "The invoice is paid at noon."):
        _, words = await embedder.embed_parts([text], [[span for span, _ in telling_words(text)]])
        title = await embedder.embed(["Times"])
        rows = np.rint(unit(np.concatenate([title, words]) @ embedder.word_basis) * 127).astype(np.int8)
        found.append(PassageWords(np.array([0, len(rows)]), rows))
    near, far = (float(interaction(asked, each, rarity={})[0]) for each in found)
    assert near > far + 0.05
    both = PassageWords(
        np.array([0, *np.cumsum([len(each.vectors) for each in found])]), np.concatenate([e.vectors for e in found])
    )
    assert interaction(asked, both, rarity={}).tolist() == pytest.approx([near, far])


ODD = {
    "stop words": "what is the of and",
    "emoji": "⛵😀👩‍🚒",
    "blanks": " \n\t ",
    "nothing": "",
    "one letter": "x",
    "marks": "?!… --- ***",
    "another script": "海港的水很深",
    "odd characters": "ferry\0\ud800\u202e\ufeff",
    "a long word": "f" * 1_000,
    "5,000 words": " ".join(f"ferry{number}" for number in range(5_000)),
}


@pytest.mark.parametrize("query", ODD.values(), ids=ODD.keys())
async def test_any_question_can_be_searched(ken: Ken, query: str) -> None:
    """No text is too odd, too short or too long."""
    result = await ken.library.search(query, OPERATOR)
    assert len(result.evidence) == 8
    assert all(0 <= evidence.relevance <= 1 for evidence in result.evidence)


async def test_small_corpora_can_be_searched(home: Path, folder: Path) -> None:
    """None, one, and two documents; one without a single term."""
    async with opened(home) as ken:
        empty = await ken.library.search("When does the ferry leave?", OPERATOR)
        assert (empty.evidence, empty.candidates, empty.corpus_version) == ((), 0, 0)
        assert await ken.library.documents(OPERATOR) == ()
        await sync(ken, folder, {"face.md": "😀"})
        assert len((await ken.library.search("When does the ferry leave?", OPERATOR)).evidence) == 1
        await sync(ken, folder, {"ferry.md": FERRY})
        best, _ = (await ken.library.search("When does the ferry leave?", ANYBODY)).evidence
        assert best.document.path == "ferry.md"


async def test_the_same_search_finds_the_same(home: Path, folder: Path) -> None:
    """Repeated, and after a restart, a search gives the same passages and scores, remembered or not."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        first = (await ken.library.search("For how long are books lent?", OPERATOR)).evidence
        assert (await ken.library.search("For how long are books lent?", OPERATOR)).evidence == first
    async with opened(home) as ken:
        assert (await ken.library.search("For how long are books lent?", OPERATOR)).evidence == first
