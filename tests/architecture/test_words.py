"""The project speaks of itself: no place of one machine, and no address that packages must come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, assert_none, files, place, plant

# Each pattern, and why it has no place in the tree.
FORBIDDEN = {
    r"(?<![\w./-])/(home|root|Users|mnt|opt)/": "a path of one machine",
    r"/tmp/\w": "a path of one machine; tests have tmp_path",  # noqa: S108 - looked for, not used
    r"--(extra-)?index-url|\bindex-url\s*=|--find-links|--trusted-host": "where packages come from is the reader's choice",
    r'"resolved"\s*:\s*"http': "a host of a package registry",
}
BINARY = {".pdf", ".docx", ".pptx", ".xlsx", ".png", ".ico", ".woff2", ".onnx", ".npy", ".bin"}
THIS = Path(__file__).resolve()


def forbidden_words(root: Path) -> list[str]:
    """Lines of any file under `root` that hold a forbidden word. This file, which lists them, is left out."""
    violations: list[str] = []
    for path in files(root):
        if path.suffix in BINARY or path.resolve() == THIS:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            violations += [
                f"{place(root, path, number)}: {found.group()!r} is {why}"
                for pattern, why in FORBIDDEN.items()
                if (found := re.search(pattern, line))
            ]
    return violations


def test_the_tree_names_no_machine_and_no_registry() -> None:
    """What is in the tree holds on every machine."""
    assert_none(forbidden_words(PROJECT))


@pytest.mark.parametrize(
    "text",
    [
        "see /opt/notes.md",
        "cd /home/somebody/ken",
        "open('/tmp/ken/x')",
        "pip install --index-url https://packages.example x",
        '      "resolved": "https://packages.example/react.tgz",',
    ],
)
def test_a_planted_word_is_caught(tmp_path: Path, text: str) -> None:
    """Paths of a machine, index addresses and lock files with hosts are caught in any file."""
    plant(tmp_path, "docs/fine.md", "`src/opt/x`, [a](../home/b), https://example.org/opt/y, ./root/z")
    assert len(forbidden_words(plant(tmp_path, "console/anything.txt", text))) == 1
