"""Size is a budget: files, functions and package fronts stay small enough to be read."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.tree import PROJECT, assert_none, files, functions, place, plant, sources

FILE_LINES = 600
TEST_FILE_LINES = 800
FUNCTION_LINES = 80
FRONT_LINES = 50
CODE = (".py", ".js", ".ts", ".tsx", ".css", ".html", ".sh")
MIGRATIONS = (
    "src/ken/storage/migrations/versions"  # one function a step: a list of tables and columns, never changed again
)
FOLDERS = ("src", "bench", "docs", "examples", "tools", "tests")


def long_files(root: Path) -> list[str]:
    """Files of code with more lines than one sitting takes. The example documents are not code."""
    violations: list[str] = []
    for folder in FOLDERS:
        limit = TEST_FILE_LINES if folder == "tests" else FILE_LINES
        for path in files(root / folder, *CODE):
            lines = len(path.read_text("utf-8").splitlines())
            if lines > limit and "handbook" not in path.parts:
                violations.append(f"{place(root, path)}: {lines} lines, at most {limit}")
    return violations


def long_functions(root: Path) -> list[str]:
    """Functions with more lines than fit on a screen, docstring and all."""
    return [
        f"{place(root, path, function.lineno)}: {function.name} has {length} lines, at most {FUNCTION_LINES}"
        for path, tree in sources(root, *FOLDERS)
        for function in functions(tree)
        if not place(root, path).startswith(MIGRATIONS)
        and (length := (function.end_lineno or function.lineno) - function.lineno + 1) > FUNCTION_LINES
    ]


def long_fronts(root: Path) -> list[str]:
    """`__init__.py` files that do more than name what a package offers."""
    return [
        f"{place(root, path)}: {lines} lines, at most {FRONT_LINES}"
        for path in files(root, ".py")
        if path.name == "__init__.py" and (lines := len(path.read_text("utf-8").splitlines())) > FRONT_LINES
    ]


def test_no_file_is_too_long() -> None:
    """A file of code has at most 600 lines, a test file 800."""
    assert_none(long_files(PROJECT))


def test_a_planted_long_file_is_caught(tmp_path: Path) -> None:
    """601 lines of code and 801 of tests are too many; 600 and 800 are not."""
    plant(tmp_path, "src/ken/fits.py", "x = 1\n" * 600)
    plant(tmp_path, "src/ken/service/long.js", "x = 1\n" * 601)
    plant(tmp_path, "tests/test_fits.py", "x = 1\n" * 800)
    plant(tmp_path, "tests/test_long.py", "x = 1\n" * 801)
    assert long_files(tmp_path) == [
        "src/ken/service/long.js: 601 lines, at most 600",
        "tests/test_long.py: 801 lines, at most 800",
    ]


def test_no_function_is_too_long() -> None:
    """A function has at most 80 lines."""
    assert_none(long_functions(PROJECT))


def test_a_planted_long_function_is_caught(tmp_path: Path) -> None:
    """81 lines are too many, also in a method; 80 are not."""
    plant(tmp_path, "src/ken/a.py", "def fits():\n" + "    x = 1\n" * 79)
    plant(tmp_path, "src/ken/b.py", "class A:\n    async def long(self):\n" + "        x = 1\n" * 80)
    assert long_functions(tmp_path) == ["src/ken/b.py:2: long has 81 lines, at most 80"]


def test_no_package_front_is_too_long() -> None:
    """An `__init__.py` has at most 50 lines."""
    assert_none(long_fronts(PROJECT))


def test_a_planted_long_front_is_caught(tmp_path: Path) -> None:
    """51 lines are too many for an `__init__.py`."""
    plant(tmp_path, "src/ken/__init__.py", "x = 1\n" * 51)
    assert long_fronts(tmp_path) == ["src/ken/__init__.py: 51 lines, at most 50"]
