"""One reader of the environment: settings.py. Everything else is given plain values."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.tree import PROJECT, assert_none, dotted, place, plant, sources

READER = "src/ken/settings.py"
NAMES = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def environment_readers(root: Path) -> list[str]:
    """Places in src, other than settings.py, that touch the environment."""
    violations: list[str] = []
    for path, tree in sources(root, "src"):
        if place(root, path) == READER:
            continue
        violations += [
            f"{place(root, path, node.lineno)}: take the value as a parameter; {READER} alone reads the environment"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute | ast.ImportFrom) and _touched(node) & NAMES
        ]
    return violations


def _touched(node: ast.Attribute | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {name.name for name in node.names} if node.module == "os" else set()
    return {node.attr} if dotted(node.value) == "os" else set()


def test_settings_alone_read_the_environment() -> None:
    """No other module of ken or kenlab reads or writes an environment variable."""
    assert_none(environment_readers(PROJECT))


def test_a_planted_reader_is_caught(tmp_path: Path) -> None:
    """Attribute, call and import are caught; settings.py and other parts of `os` are left in peace."""
    plant(tmp_path, "src/ken/a.py", "import os\nkey = os.environ['KEY']\ncores = os.cpu_count()\n")
    plant(tmp_path, "src/ken/b.py", "import os\nkey = os.getenv('KEY')\n")
    plant(tmp_path, "src/kenlab/c.py", "from os import environ, path\n")
    plant(tmp_path, READER, "import os\nkey = os.environ['KEY']\n")
    found = [line.partition(": ")[0] for line in environment_readers(tmp_path)]
    assert found == ["src/ken/a.py:2", "src/ken/b.py:2", "src/kenlab/c.py:1"]
