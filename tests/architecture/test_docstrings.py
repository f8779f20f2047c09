"""Every package and every public name of ken says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.tree import PROJECT, Function, assert_none, place, plant, sources


def silent_packages(root: Path) -> list[str]:
    """Packages without a front that has a docstring."""
    violations: list[str] = []
    for package in sorted({path.parent for path, _ in sources(root, "src") if path.parent != root / "src"}):
        front = package / "__init__.py"
        if not front.exists() or not ast.get_docstring(ast.parse(front.read_text("utf-8"))):
            violations.append(f"{place(root, package)}: no __init__.py with a docstring")
    return violations


def silent_names(root: Path) -> list[str]:
    """Public functions and classes of modules of ken without a docstring."""
    return [
        f"{place(root, path, node.lineno)}: {node.name} has no docstring"
        for path, tree in sources(root, "src/ken")
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]


def test_every_package_says_what_it_is() -> None:
    """Each folder with code is a package with a docstring."""
    assert_none(silent_packages(PROJECT))


def test_a_planted_silent_package_is_caught(tmp_path: Path) -> None:
    """A missing `__init__.py` and an empty one are caught."""
    plant(tmp_path, "src/ken/__init__.py", '"""Ken."""')
    plant(tmp_path, "src/ken/text/__init__.py", "from x import y")
    plant(tmp_path, "src/ken/guard/rails.py", '"""Rails."""')
    assert [line.partition(":")[0] for line in silent_packages(tmp_path)] == ["src/ken/guard", "src/ken/text"]


def test_every_public_name_says_what_it_is() -> None:
    """Each public function and class has a docstring."""
    assert_none(silent_names(PROJECT))


def test_planted_silent_names_are_caught(tmp_path: Path) -> None:
    """Functions and classes are caught; private names need no docstring."""
    plant(tmp_path, "src/ken/a.py", 'class A: ...\nasync def b(): ...\ndef _c(): ...\ndef d(): """D."""\n')
    assert silent_names(tmp_path) == ["src/ken/a.py:1: A has no docstring", "src/ken/a.py:2: b has no docstring"]
