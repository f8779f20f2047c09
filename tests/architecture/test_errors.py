"""Errors stand in one drawn tree, are never swallowed, and nothing is printed in passing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, assert_none, dotted, place, plant, sources

ERRORS = "src/ken/errors.py"
BROAD = {"Exception", "BaseException"}
DRAWN = re.compile(r"^(?P<lead>[ │]*)(?:[├└]── )?(?P<name>[A-Z]\w+)(?=\s|$)")
REASON = re.compile(r"#(?P<words>.*)$")


def drawn_tree(text: str) -> dict[str, str]:
    """Each error that the docstring draws, with the one that it hangs from ("" for the root)."""
    above: list[tuple[int, str]] = []
    drawn: dict[str, str] = {}
    for line in text.splitlines():
        found = DRAWN.match(line)
        if not found or ("── " not in line and line.strip() != "KenError"):
            continue
        depth = found.start("name")
        above = [(column, name) for column, name in above if column < depth]
        drawn[found["name"]] = above[-1][1] if above else ""
        above.append((depth, found["name"]))
    return drawn


def undrawn_errors(root: Path) -> list[str]:
    """Differences between the tree that errors.py draws and the classes there are, in errors.py and elsewhere."""
    tree = ast.parse((root / ERRORS).read_text("utf-8"))
    drawn = drawn_tree(ast.get_docstring(tree, clean=False) or "")
    written = {node.name: dotted(node.bases[0]) for node in tree.body if isinstance(node, ast.ClassDef)}
    written = {name: "" if parent == "Exception" else parent for name, parent in written.items()}
    violations = [f"{ERRORS}: {name} is drawn and not written" for name in sorted(drawn.keys() - written.keys())]
    violations += [f"{ERRORS}: {name} is written and not drawn" for name in sorted(written.keys() - drawn.keys())]
    violations += [
        f"{ERRORS}: {name} hangs from {written[name]!r}, and is drawn under {drawn[name]!r}"
        for name in sorted(drawn.keys() & written.keys())
        if drawn[name] != written[name]
    ]
    for path, module in sources(root, "src/ken"):
        for node in ast.walk(module):
            is_error = isinstance(node, ast.ClassDef) and any(
                dotted(b).rpartition(".")[2] in written for b in node.bases
            )
            if isinstance(node, ast.ClassDef) and is_error and place(root, path) != ERRORS:
                violations.append(f"{place(root, path, node.lineno)}: {node.name} belongs in {ERRORS}, in its tree")
    return violations


def swallowed_errors(root: Path) -> list[str]:
    """Handlers of every error that neither raise again nor say on their line why not."""
    violations: list[str] = []
    for path, tree in sources(root, "src", "tests", "bench", "docs", "tools"):
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(tree):
            if (
                not isinstance(node, ast.ExceptHandler | ast.Call)
                or not _is_broad(node)
                or _has_reason(lines[node.lineno - 1])
            ):
                continue
            where = place(root, path, node.lineno)
            violations.append(f"{where}: name the errors, raise again, or say on the line why every error ends here")
    return violations


def _is_broad(node: ast.ExceptHandler | ast.Call) -> bool:
    if isinstance(node, ast.Call):
        return dotted(node).rpartition(".")[2] == "suppress" and any(dotted(kind) in BROAD for kind in node.args)
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    if not any(kind is None or dotted(kind) in BROAD for kind in kinds):
        return False
    return not any(isinstance(inner, ast.Raise) for statement in node.body for inner in ast.walk(statement))


def _has_reason(line: str) -> bool:
    found = REASON.search(line)
    words = (
        re.sub(r"noqa(: *[A-Z]+\d+(, *[A-Z]+\d+)*)?|pyright: *ignore(\[\w+\])?", "", found["words"]) if found else ""
    )
    return len(re.findall(r"\w+", words)) > 2


def printers(root: Path) -> list[str]:
    """Calls of `print` in ken outside its terminal: stdout is the terminal's."""
    return [
        f"{place(root, path, node.lineno)}: print"
        for path, tree in sources(root, "src/ken")
        if path.relative_to(root).parts[2] != "cli"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node) == "print"
    ]


def test_the_drawn_tree_is_the_written_one() -> None:
    """Each error class is in errors.py, and its docstring draws it where it hangs."""
    assert_none(undrawn_errors(PROJECT))


def test_a_planted_wrong_tree_is_caught(tmp_path: Path) -> None:
    """A class that is missing, undrawn, drawn elsewhere or written elsewhere is caught."""
    plant(
        tmp_path,
        ERRORS,
        '''
        """Errors.

            KenError
            ├── Lost       not found   (404)
            │   └── Moved  elsewhere
            └── Gone       never written
        """
        class KenError(Exception): ...
        class Lost(KenError): ...
        class Moved(KenError): ...
        class Secret(Lost): ...
        ''',
    )
    plant(tmp_path, "src/ken/service/errors.py", "from ken import errors\nclass Stray(errors.Lost): ...\n")
    assert undrawn_errors(tmp_path) == [
        f"{ERRORS}: Gone is drawn and not written",
        f"{ERRORS}: Secret is written and not drawn",
        f"{ERRORS}: Moved hangs from 'KenError', and is drawn under 'Lost'",
        f"src/ken/service/errors.py:2: Stray belongs in {ERRORS}, in its tree",
    ]


def test_no_error_is_swallowed() -> None:
    """Whoever catches every error raises it again, or says why it ends there."""
    assert_none(swallowed_errors(PROJECT))


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("try: x()\nexcept Exception:\n    pass", 1),
        ("try: x()\nexcept:\n    y()", 1),
        ("try: x()\nexcept (OSError, BaseException) as error:\n    log(error)", 1),
        ("try: x()\nexcept Exception:  # noqa: BLE001\n    y()", 1),
        ("with contextlib.suppress(Exception):\n    x()", 1),
        ("try: x()\nexcept Exception:  # noqa: BLE001 - a sink's failure must not fail the answer\n    y()", 0),
        ("try: x()\nexcept Exception as error:\n    raise Lost from error", 0),
        ("try: x()\nexcept OSError:\n    y()", 0),
        ("try: x()\nexcept (*LOST, OSError):\n    y()", 0),
    ],
)
def test_a_planted_swallowing_handler_is_caught(tmp_path: Path, code: str, count: int) -> None:
    """Handlers of all errors are caught, unless they raise or give a reason."""
    assert len(swallowed_errors(plant(tmp_path, "src/ken/planted.py", code))) == count


def test_only_the_terminal_prints() -> None:
    """Nothing but ken.cli writes to stdout."""
    assert_none(printers(PROJECT))


def test_a_planted_print_is_caught(tmp_path: Path) -> None:
    """A print outside ken.cli is caught."""
    plant(tmp_path, "src/ken/cli/ask.py", "print('answer')\n")
    assert printers(plant(tmp_path, "src/ken/text/stems.py", "print('here')\n")) == ["src/ken/text/stems.py:1: print"]
