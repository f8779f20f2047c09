"""A file is named for the thing in it, and a thing has one name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, Function, assert_none, files, place, plant, sources

HOMELESS_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "stuff"}
HOMELESS_NAMES = {"core", "base", "shared", "lib", "general", "new", "old", "temp", "tmp"}
LEFTOVER = re.compile(r"_(v\d+|new|old|legacy|copy|backup|refactored)$")

# The glossary of ARCHITECTURE.md has another word for each.
SYNONYMS = {
    "doc": "document",
    "docs": "documents",
    "hit": "passage",
    "hits": "passages",
    "item": "the thing's own name",
}
SYNONYMS |= {"items": "the things' own name", "chunk": "passage", "chunks": "passages"}
CHUNKERS = "src/ken/knowledge/chunkers/"  # cutting is what they are about


def homeless_modules(root: Path) -> list[str]:
    """Modules and folders whose name says nothing about what is in them."""
    violations: list[str] = []
    for folder in ("src", "tests", "bench", "tools"):
        for path in files(root / folder, ".py"):
            for part in (*path.relative_to(root).parts[1:-1], path.stem):
                words = set(part.lower().split("_"))
                if words & HOMELESS_WORDS or part in HOMELESS_NAMES or LEFTOVER.search(part):
                    violations.append(f"{place(root, path)}: {part!r} is no name for a thing")
    return violations


def banned_synonyms(root: Path) -> list[str]:
    """Public functions, classes and modules of ken that call a thing by another name than the glossary's."""
    violations: list[str] = []
    for path, tree in sources(root, "src/ken"):
        if place(root, path).startswith(CHUNKERS):
            continue
        named = [(path.stem, 1)]
        named += [(node.name, node.lineno) for node in tree.body if isinstance(node, Function | ast.ClassDef)]
        for name, line in named:
            for word in re.findall(r"[A-Z]?[a-z]+", name):
                if not name.startswith("_") and word.lower() in SYNONYMS:
                    better = SYNONYMS[word.lower()]
                    violations.append(f"{place(root, path, line)}: {name} says {word.lower()!r} for {better}")
    return violations


def test_every_module_has_a_telling_name() -> None:
    """There is no utils, helpers, common, core, base or misc."""
    assert_none(homeless_modules(PROJECT))


@pytest.mark.parametrize(
    "path",
    [
        "src/ken/utils.py",
        "src/ken/core/x.py",
        "tests/http_helpers.py",
        "src/ken/gateway/retry_v2.py",
        "bench/common.py",
    ],
)
def test_a_planted_homeless_module_is_caught(tmp_path: Path, path: str) -> None:
    """A bad name is caught in any folder, alone or as a part of the name."""
    plant(tmp_path, "src/ken/gateway/retry.py")
    assert len(homeless_modules(plant(tmp_path, path))) == 1


def test_public_names_keep_to_the_glossary() -> None:
    """A document is never a doc, and a passage is neither a chunk nor a hit."""
    assert_none(banned_synonyms(PROJECT))


def test_a_planted_synonym_is_caught(tmp_path: Path) -> None:
    """Functions, classes and modules are caught; private names and the chunkers are left in peace."""
    plant(
        tmp_path, "src/ken/a.py", "def load_doc(): ...\nclass SearchHit: ...\ndef _items(): ...\ndef document(): ...\n"
    )
    plant(tmp_path, "src/ken/chunks.py")
    plant(tmp_path, f"{CHUNKERS}chunk.py", "def chunk(): ...\n")
    assert banned_synonyms(tmp_path) == [
        "src/ken/a.py:1: load_doc says 'doc' for document",
        "src/ken/a.py:2: SearchHit says 'hit' for passage",
        "src/ken/chunks.py:1: chunks says 'chunks' for passages",
    ]
