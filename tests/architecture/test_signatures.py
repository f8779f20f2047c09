"""A call can be read where it stands: few parameters, and a keyword for each after the second."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.tree import PROJECT, Function, assert_none, dotted, functions, place, plant, sources

PARAMETERS = 7
POSITIONAL = 2

# The framework reads such a function's parameters as options, or as parts of a request; nobody calls it by hand.
DECORATORS = {"command", "callback", "get", "post", "put", "patch", "delete", "websocket", "exception_handler"}

# Signatures that somebody else decides: "file::function" and why.
IMPOSED: dict[str, str] = {
    "src/ken/settings.py::settings_customise_sources": "pydantic-settings calls it with its five sources in this order",
    "src/ken/knowledge/sources/addresses.py::resolve": "aiohttp says what a resolver takes",
}


def crowded_signatures(root: Path) -> list[str]:
    """Functions of the product with more than 7 parameters, or more than 2 that a caller may give by position."""
    violations: list[str] = []
    for path, tree in sources(root, "src", "bench", "tools"):
        for function in functions(tree):
            positional = [*function.args.posonlyargs, *function.args.args]
            if positional and positional[0].arg in {"self", "cls", "mcs"}:
                positional = positional[1:]
            count = len(positional) + len(function.args.kwonlyargs)
            where = f"{place(root, path, function.lineno)}: {function.name}"
            if _is_imposed(f"{place(root, path)}::{function.name}", function):
                continue
            if count > PARAMETERS:
                violations.append(f"{where} has {count} parameters, at most {PARAMETERS}")
            # A private function is read beside its callers; its parameters don't need their names repeated there.
            is_private = function.name.startswith("_") and not function.name.startswith("__")
            if len(positional) > POSITIONAL and not is_private:
                violations.append(f"{where} takes {len(positional)} by position; put `*` after the second")
    return violations


def _is_imposed(name: str, function: Function) -> bool:
    is_magic = function.name.startswith("__") and function.name.endswith("__") and function.name != "__init__"
    is_framework = any(dotted(decorator).rpartition(".")[2] in DECORATORS for decorator in function.decorator_list)
    return is_magic or is_framework or name in IMPOSED


def needless_exceptions(root: Path) -> list[str]:
    """Exceptions of the list above whose function is gone or needs none."""
    crowded = {
        f"{place(root, path)}::{function.name}"
        for path, tree in sources(root, "src", "bench", "tools")
        for function in functions(tree)
        if len(function.args.args) + len(function.args.posonlyargs) > POSITIONAL
    }
    return sorted(IMPOSED.keys() - crowded)


def test_signatures_are_short_and_keyworded() -> None:
    """At most 7 parameters, keyword-only after the second."""
    assert_none(crowded_signatures(PROJECT))


def test_planted_crowded_signatures_are_caught(tmp_path: Path) -> None:
    """`self` and magic methods don't count, framework functions are free, all others are caught."""
    plant(
        tmp_path,
        "src/ken/planted.py",
        """
        class Thing:
            def fine(self, a, b, *, c, d, e, f, g): ...
            def __exit__(self, kind, error, traceback): ...
            async def three(self, a, b, c): ...

        @app.command("go")
        def go(a, b, c, d, e, f, g, h): ...

        def eight(a, b, *, c, d, e, f, g, h): ...
        """,
    )
    assert crowded_signatures(tmp_path) == [
        "src/ken/planted.py:5: three takes 3 by position; put `*` after the second",
        "src/ken/planted.py:10: eight has 8 parameters, at most 7",
    ]


def test_every_exception_is_still_needed() -> None:
    """An exception whose reason has gone is taken off the list."""
    assert_none(needless_exceptions(PROJECT))


def test_a_needless_exception_is_caught(tmp_path: Path) -> None:
    """In a tree without the function, its exception is reported."""
    assert needless_exceptions(tmp_path) == sorted(IMPOSED)
