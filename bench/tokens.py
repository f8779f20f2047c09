"""The estimate of tokens, against real vocabularies: how far off it is on prose, code and JSON, and how long it takes.

    python bench/tokens.py [--data DIR] [--fit] [TOKENIZER.json ...]

GPT-2's vocabulary is read from DATA/gpt2 (`encoder.json`, `vocab.bpe`: github.com/openai/gpt-2, MIT). Newer ones are given as
files `tokenizer.json`, as they come with models. Every second file of each kind is fitted on, the others are measured on, in
pieces of 6,000 characters. `--fit` writes src/ken/gateway/token_words.npy (the ASCII words of GPT-2's vocabulary, hashed) and
token_cuts.npy (how often a token ends between two bytes: of the first newer vocabulary, and of GPT-2's); what shipped was fitted
on OpenAI's cl100k_base. The texts: handbooks and public-domain prose of DATA, this project's
own files, and what is installed beside it (Python's library, JavaScript and JSON of packages).
"""

from __future__ import annotations

import argparse
import random
import sysconfig
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

from ken.gateway import counting
from ken.gateway.counting import FAMILIES, Family
from rig.handbooks import PROJECT, add_data, found

PIECE = 6_000
SHORTEST = 1_500
PIECES_A_FILE = 8
FILES = 400
BYTES = 128
PACKAGE = PROJECT / "src" / "ken" / "gateway"
BLANK = "Ġ"
"""The blank, as byte-level vocabularies write it."""


def main() -> None:
    """Fit where it is asked for, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--fit", action="store_true", help="write the files that ship")
    parser.add_argument("tokenizer", type=Path, nargs="*", help="a newer vocabulary: tokenizer.json")
    given = parser.parse_args()
    if not found(given.data):
        return
    gpt2 = gpt2_tokenizer(given.data / "gpt2")
    newer = {path.stem: byte_level(path) for path in given.tokenizer}
    texts = {kind: pieces(files) for kind, files in kinds(given.data).items()}
    if given.fit:
        np.save(PACKAGE / "token_words.npy", counting.hashes_of(words_of(gpt2)))
        fitted = [text for half, _ in texts.values() for text in half]
        tables = [table([*newer.values()][:1], fitted), table([gpt2], fitted)]
        np.save(PACKAGE / "token_cuts.npy", np.stack(tables).astype(np.float16))
        counting.word_list.cache_clear()
    print("| vocabulary | family | " + " | ".join(texts) + " |\n|---|---|" + "---:|" * len(texts))
    measure("gpt2", gpt2, family="gpt2", texts=texts)
    for name, tokenizer in newer.items():
        measure(name, tokenizer, family=FAMILIES[0], texts=texts)
    clock([text for _, half in texts.values() for text in half])


def kinds(data: Path) -> dict[str, list[Path]]:
    """The files of each kind of text."""
    library = Path(sysconfig.get_path("stdlib"))
    packages = Path(sysconfig.get_path("purelib"))
    return {
        "prose": [
            *(data / "kb").rglob("*.md"),
            *(data / "lab" / "pd").rglob("*.txt"),
            *(data / "lab").glob("wikitext2-*.txt"),
            *(PROJECT / "examples").rglob("*.md"),
            *(PROJECT / "docs").rglob("*.md"),
        ],
        "Python": [*library.glob("*.py"), *library.glob("asyncio/*.py"), *(PROJECT / "src").rglob("*.py")],
        "JavaScript": [*(PROJECT / "src").rglob("*.js"), *packages.glob("playwright/driver/package/lib/**/*.js")],
        "JSON": [
            *(data / "lab").glob("*.json*"),
            *(data / "questions").glob("*.jsonl"),
            *(PROJECT / "bench" / "questions").glob("*.json*"),
            *packages.rglob("*.json"),
        ],
    }


def pieces(files: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Pieces of every second file, and of the others."""
    order = sorted({path for path in files if path.is_file() and path.suffix != ".gz"})
    random.Random(5).shuffle(order)
    halves: tuple[list[str], list[str]] = ([], [])
    for place, path in enumerate(order[:FILES]):
        text = path.read_text("utf-8", "replace")
        starts = range(0, min(len(text), PIECE * PIECES_A_FILE), PIECE)
        halves[place % 2].extend(piece for start in starts if len(piece := text[start : start + PIECE]) >= SHORTEST)
    return halves


def gpt2_tokenizer(folder: Path) -> Tokenizer:
    """GPT-2's own."""
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "encoder.json"), str(folder / "vocab.bpe")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def byte_level(path: Path) -> Tokenizer:
    """A tokenizer whose tokens are bytes of the text as it stands."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.normalizer = None
    return tokenizer


def words_of(tokenizer: Tokenizer) -> list[str]:
    """The ASCII words that are one token."""
    named = [(" " if token[0] == BLANK else "") + token.removeprefix(BLANK) for token in tokenizer.get_vocab()]
    return [word for word in named if word.isascii() and word.strip().isalpha()]


def table(tokenizers: Iterable[Tokenizer], texts: Sequence[str]) -> NDArray[np.float64]:
    """How often a token begins at the second of two bytes, outside of the words of the list: (128, 128)."""
    cuts, seen = np.zeros(BYTES * BYTES), np.zeros(BYTES * BYTES)
    for tokenizer in tokenizers:
        for text in texts:
            data = np.frombuffer(text.encode(), np.uint8)
            begins = np.zeros(len(data), bool)
            lengths = [len(token) for token in tokenizer.encode(text, add_special_tokens=False).tokens]
            begins[np.cumsum([0, *lengths[:-1]])] = True
            for first in range(0, len(data), counting.BLOCK):
                pairs, starts, ends = counting.pairs_and_words(data[first : first + counting.BLOCK])
                is_open = np.ones(len(pairs), bool)
                for start, end in zip(starts, ends, strict=True):
                    is_open[start:end] = False
                np.add.at(cuts, pairs[is_open], begins[first : first + counting.BLOCK][is_open])
                np.add.at(seen, pairs[is_open], 1)
    usual = cuts.sum() / seen.sum()
    return ((cuts + 2 * usual) / (seen + 2)).reshape(BYTES, BYTES)


def measure(name: str, tokenizer: Tokenizer, *, family: Family, texts: dict[str, tuple[list[str], list[str]]]) -> None:
    """Print the mean error, without and with its sign, and that of 95 pieces in 100."""
    cells: list[str] = []
    for _, half in texts.values():
        true = np.array([len(tokenizer.encode(text, add_special_tokens=False).ids) for text in half])
        errors = np.array([counting.estimate(text, family=family) for text in half]) / true - 1
        sizes = np.abs(errors)
        cells.append(f"{sizes.mean():.1%} ({errors.mean():+.1%}; 95 %: {np.quantile(sizes, 0.95):.1%})")
    print(f"| {name} | {family} | {' | '.join(cells)} |")


def clock(texts: Sequence[str]) -> None:
    """Print how long 2,000 tokens take."""
    taken: list[float] = []
    for text in texts[:300]:
        started = time.perf_counter()
        tokens = counting.estimate(text)
        taken.append((time.perf_counter() - started) / tokens * 2_000)
    print(f"\n2,000 tokens take {np.median(taken) * 1000:.2f} ms (median of {len(taken)} pieces).")


if __name__ == "__main__":
    main()
