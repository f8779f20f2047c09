"""The axes that words are compared on: what src/ken/models/minilm_words.npy was made with.

    python bench/word_basis.py [--data DIR] [--every N] OUTPUT.npy

The first WORD_DIMENSIONS principal axes (not centred) of MiniLM's vectors of word pieces, each of unit length, over every
Nth Markdown file of the four handbooks and of examples/handbook. It says how much of the vectors' energy they hold, and how
much of the space of the axes that ship: those were made over windows as the index reads them, each under its title and
headings, which counts titles more often. No question is read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ken.knowledge.late import WORD_DIMENSIONS, unit
from ken.models.minilm import MiniLM
from ken.settings import load
from ken.text.markup import plain
from rig.handbooks import COLLECTIONS, PROJECT, add_data, found

WINDOW = 250


def main() -> None:
    """Write the axes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--every", type=int, default=1, help="read one file of so many")
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    if not found(given.data):
        return
    folders = [*(given.data / "kb" / name for name in COLLECTIONS), PROJECT / "examples" / "handbook"]
    files = [path for folder in folders for path in sorted(folder.rglob("*.md"))][:: given.every]
    model = MiniLM(load(None).home / "models")
    products = np.zeros((model.dimensions, model.dimensions))
    pieces = 0
    for path in files:
        text = plain(path.read_text("utf-8"), "markdown")
        offsets = model.offsets(text)
        for first in range(0, len(offsets), WINDOW):
            spans = offsets[first : first + WINDOW]
            start = spans[0][0]
            parts = [(begin - start, end - start) for begin, end in spans]
            _, vectors = model.embed_parts_now([text[start : spans[-1][1]]], [parts])
            vectors = unit(vectors)
            products += vectors.T @ vectors
            pieces += len(vectors)
    energy, axes = np.linalg.eigh(products / pieces)
    axes = axes[:, ::-1][:, :WORD_DIMENSIONS]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(WORD_DIMENSIONS)])
    np.save(given.output, axes.astype(np.float16))
    share = energy[::-1][:WORD_DIMENSIONS].sum() / energy.sum()
    common = float((np.linalg.norm(axes.T @ model.word_basis) ** 2) / WORD_DIMENSIONS)
    print(
        f"{pieces} word pieces of {len(files)} files; {share:.3f} of the energy; {common:.3f} in common with what ships"
    )


if __name__ == "__main__":
    main()
