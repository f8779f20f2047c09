"""Tests go through the public door with real parts, say what they promise, and can fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, Function, assert_none, dotted, functions, place, plant, sources

MOCK_LIBRARIES = {"unittest.mock", "mock", "pytest_mock"}
JUDGES = ("assert", "expect", "raises", "warns", "fail")


def mocks(root: Path) -> list[str]:
    """Places where a test puts something false into the program instead of giving it a real part."""
    return [
        f"{place(root, path, getattr(node, 'lineno', 1))}: give it a real part, or Ken's own fake"
        for path, tree in sources(root, "tests", "bench")
        for node in ast.walk(tree)
        if _is_mock(node)
    ]


def _is_mock(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name in MOCK_LIBRARIES for name in names)
        case ast.ImportFrom(module=module, names=names):
            return module in MOCK_LIBRARIES or (module == "unittest" and any(name.name == "mock" for name in names))
        case ast.arg(arg="mocker"):
            return True
        case ast.Call():
            return dotted(node).endswith(("monkeypatch.setattr", "mock.patch"))
        case _:
            return False


def silent_tests(root: Path) -> list[str]:
    """Tests without a docstring of one line that says what is promised."""
    return [
        f"{place(root, path, test.lineno)}: {test.name} promises nothing; say it in a docstring of one line"
        for path, tree in sources(root, "tests")
        for test in all_tests(tree)
        if "\n" in (promise := (ast.get_docstring(test) or "").strip()) or not promise
    ]


def harmless_tests(root: Path) -> list[str]:
    """Tests that assert nothing, neither themselves nor by calling something named for judging."""
    return [
        f"{place(root, path, test.lineno)}: {test.name} can't fail: it asserts nothing"
        for path, tree in sources(root, "tests")
        for test in all_tests(tree)
        if not any(_judges(node) for node in ast.walk(test))
    ]


def all_tests(tree: ast.Module) -> list[Function]:
    """The test functions of a module."""
    return [function for function in functions(tree) if function.name.startswith("test_")]


def _judges(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return isinstance(node, ast.Call) and dotted(node).rpartition(".")[2].lstrip("_").startswith(JUDGES)


def test_no_test_uses_mocks() -> None:
    """Nothing is patched: a wrong wiring must turn a test red."""
    assert_none(mocks(PROJECT))


@pytest.mark.parametrize(
    "code",
    [
        "from unittest import mock",
        "from unittest.mock import MagicMock",
        "import unittest.mock",
        "def test_x(mocker): ...",
        "def test_x(monkeypatch): monkeypatch.setattr(clock, 'now', lambda: 0)",
    ],
)
def test_a_planted_mock_is_caught(tmp_path: Path, code: str) -> None:
    """Every usual way to patch is caught; setting an environment variable is none."""
    plant(tmp_path, "tests/test_fine.py", "def test_x(monkeypatch): monkeypatch.setenv('KEN_PORT', '1')\n")
    assert len(mocks(plant(tmp_path, "tests/test_planted.py", code))) == 1


def test_every_test_says_what_it_promises() -> None:
    """A test's docstring is one line, one promise."""
    assert_none(silent_tests(PROJECT))


def test_planted_silent_tests_are_caught(tmp_path: Path) -> None:
    """No docstring, an empty one and one of several lines are caught, in classes and in async tests too."""
    plant(
        tmp_path,
        "tests/test_planted.py",
        '''
        def test_fine(): """It holds."""
        def test_none(): ...
        class TestThing:
            async def test_empty(self): """ """
        def test_long():
            """It holds.

            And more."""
        ''',
    )
    found = [line.split(": ")[1].split()[0] for line in silent_tests(tmp_path)]
    assert sorted(found) == ["test_empty", "test_long", "test_none"]


def test_every_test_can_fail() -> None:
    """A test asserts something, by `assert`, `pytest.raises` or a function named assert_… or expect…."""
    assert_none(harmless_tests(PROJECT))


def test_planted_harmless_tests_are_caught(tmp_path: Path) -> None:
    """A test that only calls, or asserts a constant, is caught."""
    plant(
        tmp_path,
        "tests/test_planted.py",
        """
        def test_calls(): thing()
        def test_constant(): assert True
        def test_asserts(): assert thing() == 1
        def test_expects(): expect(page).to_have_title("Ken")
        def test_raises():
            with pytest.raises(ValueError): thing()
        """,
    )
    found = [line.split(": ")[1].split()[0] for line in harmless_tests(tmp_path)]
    assert found == ["test_calls", "test_constant"]
