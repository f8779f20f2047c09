"""What an install brings along: few packages, no torch, each at an exact version, each with its reason."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import PROJECT, assert_none, place, plant, sources

MOST_PACKAGES = 75
DECISION = "docs/decisions/0002-libraries.md"
# Part of another library's face: its pages send their readers there for half of what they describe.
PART_OF = {"starlette": "fastapi", "yarl": "aiohttp"}
# Namespaces that several distributions share: whose a module is, by how it begins.
SHARED = {
    "opentelemetry.exporter.otlp.proto.common": "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry.proto": "opentelemetry-proto",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
    "google.protobuf": "protobuf",
}
UNWANTED = {"torch", "transformers", "langchain", "tensorflow"}


def needed_by(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """All packages that an install of `name` brings along on this machine, itself left out; read from what is installed."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        package, wanted = waiting.pop()
        if (package, wanted) in seen:
            continue
        seen.add((package, wanted))
        for line in requires(package) or []:
            requirement = Requirement(line)
            if _applies(requirement, wanted):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {package for package, _ in seen} - {canonicalize_name(name)}


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""})


def pins(root: Path) -> dict[str, str]:
    """The versions of constraints.txt, by package. Raises ValueError for a line that pins no exact version."""
    found: dict[str, str] = {}
    for line in (root / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = re.fullmatch(r"([a-z0-9-]+)==([\w.!]+)", line)
            if pin is None:
                message = f"constraints.txt: {line!r} is not `name==version`"
                raise ValueError(message)
            found[pin[1]] = pin[2]
    return found


def unexplained_libraries(root: Path) -> list[str]:
    """Default dependencies of pyproject.toml without a row in the decision on libraries, and rows without a dependency."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    install = (root / DECISION).read_text("utf-8").partition("## The console's packages")[0]
    rows = re.findall(r"^\| `([^`]+)` \|", install, re.MULTILINE)
    explained = {canonicalize_name(name) for name in rows}
    violations = [f"{DECISION}: no row for {name!r}" for name in sorted(declared - explained)]
    return violations + [f"{DECISION}: {name!r} is no default dependency" for name in sorted(explained - declared)]


def imported_libraries(root: Path) -> dict[str, str]:
    """The distribution of each third-party module that src/ken imports, and the first place that does."""
    owners = packages_distributions()
    found: dict[str, str] = {}
    for path, tree in sources(root, "src/ken"):
        for node in ast.walk(tree):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            roots = {"ken", *sys.stdlib_module_names}
            for module in [module for module in modules if module.partition(".")[0] not in roots]:
                owner = _owner(module, owners)
                found.setdefault(
                    PART_OF.get(owner, owner), f"{place(root, path)}: imports {module.partition('.')[0]!r}"
                )
    return found


def _owner(module: str, owners: Mapping[str, list[str]]) -> str:
    shared = next((owner for begin, owner in SHARED.items() if f"{module}.".startswith(f"{begin}.")), None)
    root = module.partition(".")[0]
    return shared or canonicalize_name(owners.get(root, [root])[0])


def undeclared_imports(root: Path) -> list[str]:
    """Libraries that src/ken imports and pyproject.toml doesn't declare, and default dependencies that nothing imports."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    default = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    extra = {
        canonicalize_name(Requirement(line).name)
        for name, lines in project.get("optional-dependencies", {}).items()
        if name not in {"dev", "lab"}
        for line in lines
    }
    imported = imported_libraries(root)
    violations = [
        f"{imported[name]}, which pyproject.toml doesn't declare" for name in sorted(imported.keys() - default - extra)
    ]
    return violations + [
        f"pyproject.toml: nothing in src/ken imports {name!r}" for name in sorted(default - imported.keys())
    ]


def test_what_is_imported_is_declared_and_used() -> None:
    """Ken imports its declared dependencies, each of them, and no other library."""
    assert_none(undeclared_imports(PROJECT))


def test_a_planted_undeclared_import_is_caught(tmp_path: Path) -> None:
    """A library that came in with another one, a tool of the tests and a dependency without a use are caught."""
    plant(
        tmp_path,
        "pyproject.toml",
        """
        [project]
        dependencies = ["numpy", "fastapi", "pypdf"]
        [project.optional-dependencies]
        dev = ["pytest"]
        redis = ["redis"]
        """,
    )
    plant(tmp_path, "src/ken/a.py", "import os, numpy.linalg\nfrom starlette import types\nfrom ken import errors\n")
    plant(
        tmp_path, "src/ken/b.py", "def late():\n    import redis\n    import pytest\n    from yaml import safe_load\n"
    )
    assert undeclared_imports(tmp_path) == [
        "src/ken/b.py: imports 'pytest', which pyproject.toml doesn't declare",
        "src/ken/b.py: imports 'yaml', which pyproject.toml doesn't declare",
        "pyproject.toml: nothing in src/ken imports 'pypdf'",
    ]


def test_a_default_install_stays_small() -> None:
    """Ken and all that it needs are at most 75 packages."""
    assert len(needed_by("ken")) <= MOST_PACKAGES


def test_a_default_install_brings_no_training_framework() -> None:
    """Nothing that Ken needs needs torch."""
    assert needed_by("ken") & UNWANTED == set()


def test_the_walk_finds_indirect_and_extra_packages() -> None:
    """The count above would see a package that only a dependency needs, and one that an extra adds."""
    assert {"starlette", "numpy"} <= needed_by("ken")
    assert "pytest" not in needed_by("ken")
    assert "pytest" in needed_by("ken", frozenset({"dev"}))


def test_every_needed_package_is_pinned() -> None:
    """constraints.txt gives an exact version to all that a default install and the tools bring along."""
    assert needed_by("ken", frozenset({"dev"})) - pins(PROJECT).keys() == set()


@pytest.mark.parametrize("line", ["numpy>=2", "-e .", "ken @ file:///x", "--pre"])
def test_a_planted_loose_constraint_is_caught(tmp_path: Path, line: str) -> None:
    """Ranges, addresses and options have no place in constraints.txt."""
    with pytest.raises(ValueError, match="is not `name==version`"):
        pins(plant(tmp_path, "constraints.txt", f"# pins\nnumpy==2.4.6\n{line}\n"))


def test_every_library_has_its_reason() -> None:
    """The decision on libraries has a row for each default dependency, and no other."""
    assert_none(unexplained_libraries(PROJECT))


def test_a_planted_unexplained_library_is_caught(tmp_path: Path) -> None:
    """A dependency without a row and a row without a dependency are caught."""
    plant(tmp_path, "pyproject.toml", '[project]\ndependencies = ["numpy", "PyYAML>=6"]\n')
    plant(tmp_path, DECISION, "| library | why |\n|---|---|\n| `pyyaml` | front matter |\n| `pandas` | tables |\n")
    assert unexplained_libraries(tmp_path) == [
        f"{DECISION}: no row for 'numpy'",
        f"{DECISION}: 'pandas' is no default dependency",
    ]
