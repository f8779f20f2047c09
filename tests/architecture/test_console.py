"""The console's own rules: packages pinned, declared and explained; imports one way; small files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_dependencies import DECISION
from tests.architecture.tree import PROJECT, assert_none, files, place, plant

LONGEST = 400
SECTION = "## The console's packages"
TOOLS = {"@napi-rs/canvas"}  # stands where pdfjs-dist looks for it, and nothing imports it
_IMPORT = re.compile(
    r"""^(?:(?:import|export)\b[^'"]*?\bfrom|\}\s*from|import)\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]"""
)
_EXACT = re.compile(r"\d+\.\d+\.\d+")
_BELOW = {"app": {"features", "ui", "lib"}, "features": {"ui", "lib"}, "ui": set[str](), "lib": set[str]()}
"""What each part of console/src may import beside itself."""


def manifest(root: Path) -> dict[str, dict[str, str]]:
    """`dependencies` and `devDependencies` of console/package.json, by what they are called there."""
    told = json.loads((root / "console/package.json").read_text("utf-8"))
    return {kind: dict(told.get(kind, {})) for kind in ("dependencies", "devDependencies")}


def loose_pins(root: Path) -> list[str]:
    """Packages of the console without one exact version, and what in the lock names the registry that it came from."""
    violations = [
        f"console/package.json: {name!r} is {version!r}, which is no exact version"
        for packages in manifest(root).values()
        for name, version in packages.items()
        if not _EXACT.fullmatch(version) and not (root / "console" / version.removeprefix("file:")).is_dir()
    ]
    lock = json.loads((root / "console/package-lock.json").read_text("utf-8"))["packages"]
    if {kind: lock[""].get(kind, {}) for kind in manifest(root)} != manifest(root):
        violations.append("console/package-lock.json: it was not made from this package.json; run `npm install` there")
    return violations + [
        f"console/package-lock.json: {name!r} names where it came from"
        for name, about in lock.items()
        if "://" in str(about.get("resolved", ""))
    ]


def unexplained_packages(root: Path) -> list[str]:
    """Packages of the console without a row in the decision on libraries, and rows without a package."""
    section = (root / DECISION).read_text("utf-8").partition(SECTION)[2].partition("\n## ")[0]
    explained = {
        name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall("`([^`]+)`", row)
    }
    declared = {name for packages in manifest(root).values() for name in packages}
    violations = [f"{DECISION}: no row for the console's {name!r}" for name in sorted(declared - explained)]
    return violations + [f"{DECISION}: {name!r} is no package of the console" for name in sorted(explained - declared)]


def imports(root: Path, *suffixes: str) -> Iterator[tuple[Path, int, str]]:
    """Each import in the console's sources: file, line and what is imported."""
    for path in files(root / "console", *suffixes):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            for found in _IMPORT.finditer(line):
                yield path, number, found[1] or found[2]


def undeclared_packages(root: Path) -> list[str]:
    """Imports of packages that package.json doesn't declare (for the build: as no tool), and dependencies without an import."""
    told = manifest(root)
    used: set[str] = set()
    violations: list[str] = []
    for path, number, module in imports(root, ".ts", ".tsx", ".js"):
        if module.startswith((".", "@/", "node:", "/")):
            continue
        name = "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
        used.add(name)
        known = {*told["dependencies"]}
        if not _is_shipped(root, path):
            known |= {*told["devDependencies"]}
        if name not in known and f"@types/{name}" not in told["devDependencies"]:
            violations.append(
                f"{place(root, path, number)}: imports {name!r}, which console/package.json doesn't declare for it"
            )
    return violations + [
        f"console/package.json: nothing imports {name!r}" for name in sorted({*told["dependencies"]} - used - TOOLS)
    ]


def _is_shipped(root: Path, path: Path) -> bool:
    """Whether the build needs it."""
    inner = path.relative_to(root / "console").as_posix()
    is_test = ".test." in path.name or path.name == "test-setup.ts" or path.name.startswith(("vitest.", "eslint."))
    return not is_test and not inner.startswith("src/test")


def wrong_ways(root: Path) -> list[str]:
    """Imports against the order app > features > ui | lib, from one feature to another, and linting rules switched off."""
    base = root / "console/src"
    violations: list[str] = []
    for path, number, module in imports(base.parent.parent, ".ts", ".tsx"):
        if not path.is_relative_to(base) or not module.startswith((".", "@/")):
            continue
        target = base / module[2:] if module.startswith("@/") else Path(path.parent, module)
        here, there = _part(path, base), _part(target, base)
        if here is not None and there is not None and not _may(here, there):
            violations.append(f"{place(root, path, number)}: {'/'.join(here)} imports {'/'.join(there)}")
    for path in files(base, ".ts", ".tsx"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if "eslint-disable" in line and (
                "import-x/" in line or "no-restricted-syntax" in line or "max-lines" in line
            ):
                violations.append(f"{place(root, path, number)}: switches off a rule of the tree")
    return violations


def _part(path: Path, base: Path) -> tuple[str, ...] | None:
    """`("ui",)`, `("features", "ask")`; None for what lies beside them."""
    try:
        parts = Path(*path.parts[: len(base.parts)], *_flat(path.parts[len(base.parts) :])).relative_to(base).parts
    except ValueError:
        return None
    if not parts or parts[0] not in _BELOW:
        return None
    return parts[:2] if parts[0] == "features" else parts[:1]


def _flat(parts: tuple[str, ...]) -> list[str]:
    """Without `..`."""
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    return kept


def _may(here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    return here == there or there[0] in _BELOW[here[0]]


def large_files(root: Path) -> list[str]:
    """Files of the console of more than 400 lines, but for what a tool wrote."""
    violations: list[str] = []
    for path in files(root / "console", ".ts", ".tsx", ".js", ".css", ".html", ".json"):
        lines = len(path.read_text("utf-8").splitlines())
        if path.name not in {"package-lock.json", "schema.d.ts"} and lines > LONGEST:
            violations.append(f"{place(root, path)}: {lines} lines, {LONGEST} at most")
    return violations


def test_packages_are_pinned() -> None:
    """Each package of the console has one exact version, and the lock says so without naming a registry."""
    assert_none(loose_pins(PROJECT))


def test_planted_loose_packages_are_caught(tmp_path: Path) -> None:
    """A range, a folder that isn't there, a lock of another manifest and an address in it are caught."""
    plant(tmp_path, "console/absent/canvas/package.json", "{}")
    packages = {"react": "^19.0.0", "echarts": "6.1.0", "canvas": "file:absent/canvas", "gone": "file:absent/gone"}
    plant(tmp_path, "console/package.json", json.dumps({"dependencies": packages}))
    locked = {"": {"dependencies": {"react": "19.0.0"}}, "node_modules/react": {"resolved": "git://a.example/r"}}
    plant(tmp_path, "console/package-lock.json", json.dumps({"packages": locked}))
    assert loose_pins(tmp_path) == [
        "console/package.json: 'react' is '^19.0.0', which is no exact version",
        "console/package.json: 'gone' is 'file:absent/gone', which is no exact version",
        "console/package-lock.json: it was not made from this package.json; run `npm install` there",
        "console/package-lock.json: 'node_modules/react' names where it came from",
    ]


def test_every_package_has_its_reason() -> None:
    """The decision on libraries has a row for each package of the console and each tool, and no other."""
    assert_none(unexplained_packages(PROJECT))


def test_a_planted_unexplained_package_is_caught(tmp_path: Path) -> None:
    """A package without a row and a row without a package are caught; a row may name several."""
    plant(
        tmp_path,
        "console/package.json",
        '{"dependencies": {"a": "1.0.0", "b": "1.0.0"}, "devDependencies": {"c": "1.0.0"}}',
    )
    plant(
        tmp_path,
        DECISION,
        f"| `numpy` | x |\n\n{SECTION}\n\n| `a`, `b` | y |\n| `d` | z |\n\n## More\n\n| `e` | no |\n",
    )
    assert unexplained_packages(tmp_path) == [
        f"{DECISION}: no row for the console's 'c'",
        f"{DECISION}: 'd' is no package of the console",
    ]


def test_what_is_imported_is_declared() -> None:
    """The console imports its declared packages, each of them; what is built imports no tool of the tests."""
    assert_none(undeclared_packages(PROJECT))


def test_planted_undeclared_packages_are_caught(tmp_path: Path) -> None:
    """A package that came in with another, a tool in what is built and a dependency without a use are caught."""
    plant(
        tmp_path,
        "console/package.json",
        '{"dependencies": {"react": "1.0.0", "dull": "1.0.0"}, "devDependencies": {"@types/mdast": "1.0.0", "vitest": "1.0.0"}}',
    )
    plant(
        tmp_path,
        "console/src/a.ts",
        "import { z } from 'zrender/lib/z';\nimport type { Root } from 'mdast';\nimport 'react';\n",
    )
    plant(tmp_path, "console/src/a.test.ts", "import { test } from 'vitest';\nconst a = ['until from ', 'b'];\n")
    plant(tmp_path, "console/src/b.tsx", "const late = import('@some/thing/deep');\nimport { x } from 'vitest';\n")
    assert undeclared_packages(tmp_path) == [
        "console/src/a.ts:1: imports 'zrender', which console/package.json doesn't declare for it",
        "console/src/b.tsx:1: imports '@some/thing', which console/package.json doesn't declare for it",
        "console/src/b.tsx:2: imports 'vitest', which console/package.json doesn't declare for it",
        "console/package.json: nothing imports 'dull'",
    ]


def test_imports_go_one_way() -> None:
    """The app imports features, they import ui and lib, and no feature another; no file switches the linter's rule off."""
    assert_none(wrong_ways(PROJECT))


def test_the_linter_holds_the_same_order() -> None:
    """ESLint, which also sees what a line-by-line look can't, is told to refuse such imports and HTML strings."""
    config = (PROJECT / "console/eslint.config.js").read_text("utf-8")
    for rule in ("'import-x/no-restricted-paths': ['error'", "'import-x/no-cycle': 'error'", "dangerouslySetInnerHTML"):
        assert rule in config


@pytest.mark.parametrize(
    ("path", "line", "found"),
    [
        ("features/ask/a.tsx", "import { b } from '@/features/traces/b';", "features/ask imports features/traces"),
        ("features/ask/a.tsx", "import { b } from '../traces/b';", "features/ask imports features/traces"),
        ("features/ask/a.tsx", "import { router } from '@/app/router';", "features/ask imports app"),
        ("ui/a.tsx", "import { api } from '../lib/api';", "ui imports lib"),
        ("lib/a.ts", "const b = await import('@/ui/b');", "lib imports ui"),
        ("ui/a.tsx", "// eslint-disable-next-line import-x/no-restricted-paths", "switches off a rule of the tree"),
    ],
)
def test_a_planted_wrong_way_is_caught(tmp_path: Path, path: str, line: str, found: str) -> None:
    """Imports against the order are caught by both their spellings, and so is a rule that is switched off."""
    right = "import { a } from '@/lib/api';\nimport { c } from './c';\n" if path.startswith("features") else ""
    plant(tmp_path, f"console/src/{path}", f"{right}{line}\n")
    number = len(right.splitlines()) + 1
    assert wrong_ways(tmp_path) == [f"console/src/{path}:{number}: {found}"]


def test_files_are_small() -> None:
    """No file of the console has more than 400 lines."""
    assert_none(large_files(PROJECT))


def test_a_planted_large_file_is_caught(tmp_path: Path) -> None:
    """A long style sheet is caught, what a tool wrote isn't."""
    plant(tmp_path, "console/src/long.css", "a {}\n" * (LONGEST + 1))
    plant(tmp_path, "console/package-lock.json", "\n" * (LONGEST + 1))
    assert large_files(tmp_path) == ["console/src/long.css: 401 lines, 400 at most"]
