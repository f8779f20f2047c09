"""The tree that the rules look at. Each rule is a function of a root folder that returns its violations, one line each."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

PROJECT = Path(__file__).parents[2]

# Made by tools, and never committed.
_MADE = {"__pycache__", "node_modules", "dist", "build", "coverage"}
_HIDDEN_BUT_OURS = {".ci", ".gitignore"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(root: Path, *suffixes: str) -> list[Path]:
    """All files of the project under `root`, or those with one of the suffixes, in order of their paths."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if _is_ours(name) and not _is_built(Path(folder, name))]
        found += [Path(folder, name) for name in names if _is_ours(name)]
    return sorted(path for path in found if not suffixes or path.suffix in suffixes)


def sources(root: Path, *folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file in these folders of `root`, parsed."""
    for folder in folders:
        for path in files(root / folder, ".py"):
            yield path, parsed(path, path.read_text("utf-8"))


@functools.cache
def parsed(path: Path, text: str) -> ast.Module:
    """A file's tree, made once for all rules: they look at it and leave it as it is."""
    return ast.parse(text, filename=str(path))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function of a module, from top to bottom: methods and nested ones too."""
    found = [node for node in ast.walk(tree) if isinstance(node, Function)]
    yield from sorted(found, key=lambda function: function.lineno)


def place(root: Path, path: Path, line: int | None = None) -> str:
    """Say where: the path from the root, and the line."""
    where = path.relative_to(root).as_posix()
    return where if line is None else f"{where}:{line}"


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names, or for the callee of a call; "" for anything else."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def assert_none(violations: list[str]) -> None:
    """Fail with all violations, a line each."""
    if violations:
        pytest.fail("\n".join(violations), pytrace=False)


def plant(root: Path, path: str, text: str = "") -> Path:
    """Write a file into a tree that a rule is tried on; returns the root."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(dedent(text), "utf-8")
    return root


def _is_built(folder: Path) -> bool:
    """Whether it is what Vite makes of `console/`."""
    return folder.parts[-3:] == ("ken", "service", "console")


def _is_ours(name: str) -> bool:
    if name in _MADE or name.endswith(".egg-info"):
        return False
    return not name.startswith(".") or name in _HIDDEN_BUT_OURS
