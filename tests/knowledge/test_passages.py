from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.chunkers.structural import Structural
from ken.knowledge.features import compute
from ken.knowledge.parse.parser import parse
from ken.models.minilm import MiniLM
from ken.text.markup import plain
from tests.architecture.tree import PROJECT
from tests.knowledge.homes import ANYBODY, OPERATOR, Counting, found, opened, sync

HANDBOOK = sorted((PROJECT / "examples" / "handbook").rglob("*.md"))[:5]
PARAGRAPH = "Harbours silt up, pilots grumble and dredgers work by night while thunderous unsinkable lighters wait. "

TEXTS = {
    "handbook.md": "\n\n".join(path.read_text("utf-8") for path in HANDBOOK),
    "long-code.md": "# Code\n\n```\n"
    + "".join(f"set register_{n} to value {n * 7919:x}\n" for n in range(200))
    + "```\n",
    "one-sentence.txt": " ".join(f"word{n}" for n in range(1500)) + ".",
    "unbroken.txt": "x" * 5_000 + " " + "antidisestablishmentarianism" * 30 + "/" + "y/" * 900,
    "ideographs.txt": "海港的水很深船都停在这里" * 150,
    "long-headings.md": "".join(f"{'#' * level} {PARAGRAPH * 2}\n\n" for level in range(1, 6)) + PARAGRAPH * 60,
    "table.md": "| Harbour | Depth |\n|---|---|\n" + "".join(f"| Berth {n} | {n} metres |\n" for n in range(300)),
    "tiny.md": "Tide.",
    "marks.md": "# !\n\n*** --- ***\n\n:-)\n",
}


@pytest.fixture(scope="module")
def embedder(made: Path) -> MiniLM:
    return MiniLM(made / "models")


class Remembering(Counting):
    """Keeps the texts, and gives them vectors without a meaning: what is embedded is tested, not how."""

    async def embed(self, texts: list[str]) -> np.ndarray:
        """Keep."""
        self.texts += texts
        return np.zeros((len(texts), self.dimensions), np.float32)

    async def embed_parts(self, texts: list[str], parts: list[list[tuple[int, int]]]) -> tuple[np.ndarray, np.ndarray]:
        """Keep."""
        return await self.embed(texts), np.zeros((sum(map(len, parts)), self.dimensions), np.float32)


@pytest.mark.parametrize("name", TEXTS)
async def test_the_embedder_reads_every_word(embedder: MiniLM, name: str) -> None:
    """Each window fits the embedder, and a passage's windows hold all its words, in order, none of them in pieces."""
    parsed = parse(TEXTS[name].encode(), name=name)
    pieces = Structural(Chunking(), embedder).cut(parsed)
    remembering = Remembering(embedder)
    features = await compute(parsed, "A title", pieces=pieces, embedder=remembering, tokens=embedder)
    windows = remembering.texts[: len(features.window_spans)]
    ordinals = features.window_spans[:, 0].tolist()
    assert sorted(set(ordinals)) == list(range(len(pieces)))
    assert max(embedder.count(window) for window in windows) <= 254
    for ordinal, piece in enumerate(pieces):
        own = [window for window, of in zip(windows, ordinals, strict=True) if of == ordinal]
        assert_read_whole(plain(piece.reading(parsed.text), parsed.markup), own)


def assert_read_whole(text: str, windows: list[str]) -> None:
    """All of `text` but blanks stands in the windows, each of which begins with title and headings."""
    places = [index for index, character in enumerate(text) if not character.isspace()]
    wanted = "".join(text[place] for place in places)
    done = 0
    for window in windows:
        if 0 < done < len(wanted):
            before, after = places[done - 1], places[done]
            is_cut = after == before + 1 and text[before].isalnum() and text[after].isalnum()
            assert not is_cut or ord(text[after]) > 0x3400, text[before - 20 : after + 20]
        characters = "".join(window.split())
        done += next(len(characters) - k for k in range(len(characters) + 1) if wanted.startswith(characters[k:], done))
    assert done == len(wanted)


async def test_a_passage_from_a_table_is_stored_with_its_header(home: Path, folder: Path, embedder: MiniLM) -> None:
    """It is counted and shown with it, and its rows are quoted with the names of their columns."""
    async with opened(home) as ken:
        await sync(ken, folder, {"table.md": TEXTS["table.md"]})
        (document,) = await ken.library.documents(OPERATOR)
        first, *others = await ken.library.passages(document.id, OPERATOR)
        assert first.header == ""
        assert first.shown == first.text
        assert len(others) > 2
        for passage in others:
            assert passage.header == "| Harbour | Depth |\n|---|---|"
            assert passage.shown == f"{passage.header}\n{passage.text}"
            assert passage.tokens == embedder.count(plain(passage.shown, "markdown"))
        (found,) = (await ken.library.search("How deep is berth 212?", OPERATOR, limit=1)).evidence
        assert "Harbour: Berth 212 · Depth: 212 metres" in [sentence.text for sentence in found.sentences]


async def test_passages_are_spans_of_the_text(home: Path, folder: Path) -> None:
    """A passage's text is the document's between its offsets; so is what search returns, and each of its sentences."""
    async with opened(home) as ken:
        await sync(
            ken,
            folder,
            {name: text for name, text in TEXTS.items() if name in {"handbook.md", "table.md", "long-code.md"}},
        )
        for document in await ken.library.documents(OPERATOR):
            text = await ken.library.text(document.id, OPERATOR)
            passages = await ken.library.passages(document.id, OPERATOR)
            assert [passage.ordinal for passage in passages] == list(range(document.passages))
            assert len(text) == document.characters
            for passage in passages:
                assert passage.text == text[passage.start : passage.end]
                assert (passage.document_id, passage.version) == (document.id, document.version)
        for evidence in (await ken.library.search("How deep is berth 12?", OPERATOR, limit=20)).evidence:
            stored = (await ken.library.passages(evidence.document.id, OPERATOR))[evidence.passage.ordinal]
            assert evidence.passage == stored
            text = await ken.library.text(evidence.document.id, OPERATOR)
            for sentence in evidence.sentences:
                assert stored.start <= sentence.start < sentence.end <= stored.end
                markup = "plain" if sentence.is_code else evidence.document.markup
                reading = plain(text[sentence.start : sentence.end], markup)
                if text[sentence.start] == "|":
                    assert all(cell in sentence.text for cell in reading.split(" · "))
                else:
                    assert sentence.text == reading


RULE = "Tents may be pitched on the north meadow until {}.\n"
QUESTION = "Until when may tents be pitched on the north meadow?"


@pytest.mark.parametrize(
    ("new", "supersedes"),
    [
        ("camp/new.md", "old.md"),
        ("camp/new.md", "./old.md"),
        ("camp/new.md", "camp/old.md"),
        ("camp/new.md", "/camp/old.md"),
        ("2026/new.md", "../camp/old.md"),
        ("2026/new.md", "camp/old.md"),
        ("new.md", "camp/old.md"),
    ],
)
async def test_a_superseded_document_is_known_by_its_path(home: Path, folder: Path, new: str, supersedes: str) -> None:
    """The path counts from the document's own folder or from the collection's root, and the successor comes first."""
    async with opened(home) as ken:
        old = "# Camping\n\n" + RULE.format("September")
        await sync(
            ken,
            folder,
            {"camp/old.md": old, new: f"---\nsupersedes: {supersedes}\n---\n# Camping\n\n{RULE.format('August')}"},
        )
        assert (await ken.library.document("papers/camp/old.md", OPERATOR)).superseded_by == f"papers/{new}"
        assert (await ken.library.document(f"papers/{new}", OPERATOR)).superseded_by is None
        best, other = (await ken.library.search(QUESTION, ANYBODY)).evidence
        assert (best.document.path, other.document.path) == (new, "camp/old.md")
        assert other.document.superseded_by == f"papers/{new}"
        assert best.relevance > other.relevance


async def test_without_its_successor_a_document_stands_again(home: Path, folder: Path) -> None:
    """Deleting the successor, or taking its claim away, ends it; a document never supersedes itself."""
    claim = "---\nsupersedes: old.md\n---\n"
    async with opened(home) as ken:
        await sync(ken, folder, {"old.md": RULE.format("May"), "new.md": claim + RULE.format("June")})
        await sync(ken, folder, {"new.md": RULE.format("June")})
        assert (await ken.library.document("papers/old.md", OPERATOR)).superseded_by is None
        await sync(ken, folder, {"new.md": claim + RULE.format("June")})
        (folder / "new.md").unlink()
        await sync(ken, folder, {"old.md": claim + RULE.format("May")})
        assert (await ken.library.document("papers/old.md", OPERATOR)).superseded_by is None
        assert await found(ken, QUESTION) == ["old.md"]


@pytest.mark.parametrize("name", ["table.md", "unbroken.txt", "long-headings.md"])
async def test_each_sentence_has_a_vector_of_unit_length(embedder: MiniLM, name: str) -> None:
    """Read in one window, in two, or by itself as a table row; a row's is that of its text with the columns' names."""
    parsed = parse(TEXTS[name].encode(), name=name)
    pieces = Structural(Chunking(), embedder).cut(parsed)
    features = await compute(parsed, "A title", pieces=pieces, embedder=embedder, tokens=embedder)
    assert len(features.sentences) > 5
    assert np.allclose(np.linalg.norm(features.sentences.astype(np.float32) / 127, axis=1), 1, atol=0.03)
    if name == "table.md":
        alone = embedder.embed_now(features.sentence_texts)
        assert np.abs(features.sentences - alone * 127).max() <= 1
