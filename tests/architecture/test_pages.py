"""What the pages say is so: their links lead somewhere, their commands exist, the map of files is the tree."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.architecture.pages import anchors, blocks, commands, links, our_pages
from tests.architecture.terminal import Group, fault, ken
from tests.architecture.tree import PROJECT, assert_none, files, place, plant

SIX = ["help", "up", "check", "test", "bench", "docs"]
MAP = "the map of files: a block of code under a heading with the word 'map'"


def dead_links(root: Path) -> list[str]:
    """Relative links of any Markdown file, the example documents too, that lead to no file or to no heading."""
    violations: list[str] = []
    for page in files(root, ".md"):
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = page.parent / unquote(parts.path) if parts.path else page
            if not target.exists():
                violations.append(f"{place(root, page)}: {link!r} leads to no file")
            elif parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
                violations.append(f"{place(root, page)}: {link!r} leads to no heading")
    return violations


def make_targets(root: Path) -> list[str]:
    """The commands that the Makefile offers, in its order."""
    found = re.search(r"^\.PHONY: (.+)$", (root / "Makefile").read_text("utf-8"), re.MULTILINE)
    return found[1].split() if found else []


def dead_commands(root: Path, terminal: Group) -> list[str]:
    """Commands on our pages that `make` or `ken` would refuse: an unknown target, command or option."""
    targets = set(make_targets(root))
    violations: list[str] = []
    for page in our_pages(root):
        for words in commands(page):
            shown = " ".join(words)
            if words[0] == "make":
                unknown = [
                    word for word in words[1:] if "=" not in word and not word.startswith("-") and word not in targets
                ]
                violations += [f"{place(root, page)}: `{shown}`: no target {word!r}" for word in unknown]
            elif problem := fault(terminal, words[1:]):
                violations.append(f"{place(root, page)}: `{shown}`: {problem}")
    return violations


def wrong_map(root: Path) -> list[str]:
    """Differences between the README's map of files and the tree: paths that aren't there, and top-level ones left out.

    The map is indented; the first word of a line is a path, relative to the line that it is indented under; the rest of the
    line says what is there. A line of lines (├ └ │ ─) before the word is decoration.
    """
    maps = [block for block in blocks(root / "README.md") if re.search(r"\bmap\b", block.heading, re.IGNORECASE)]
    if not maps:
        return [f"README.md: no {MAP}"]
    named: set[str] = set()
    above: list[tuple[int, str]] = []
    for line in maps[0].text.splitlines():
        found = re.match(r"[ │├└─]*([\w.][^\s#]*)", line)
        if found is None:
            continue
        above = [(column, folder) for column, folder in above if column < found.start(1)]
        path = (above[-1][1] if above else "") + found[1]
        named.add(path)
        if found[1].endswith("/"):
            above.append((found.start(1), path))
    violations = [
        f"README.md: the map names {path!r}, which is not there" for path in sorted(named) if not (root / path).exists()
    ]
    top = {path.relative_to(root).parts[0] for path in files(root)} - {".gitignore"}
    mapped = {path.partition("/")[0] for path in named}
    return violations + [f"README.md: the map leaves out {name!r}" for name in sorted(top - mapped)]


def test_every_link_leads_somewhere() -> None:
    """Each relative link of each Markdown file leads to a file, and to a heading where it names one."""
    assert_none(dead_links(PROJECT))


def test_planted_dead_links_are_caught(tmp_path: Path) -> None:
    """Missing files, images and headings are caught; addresses, code and good links are left in peace."""
    plant(tmp_path, "docs/guide.md", "# First *steps*, quickly\n[up](../README.md) [here](#first-steps-quickly)\n")
    plant(
        tmp_path,
        "README.md",
        "[a](docs/guide.md#first-steps-quickly) [b](docs/gone.md) ![c](x.png) [d](docs/guide.md#later)\n"
        "[e](https://example.org/x) `[f](nowhere)` [g][ref]\n\n[ref]: docs/none.md\n",
    )
    assert dead_links(tmp_path) == [
        "README.md: 'docs/gone.md' leads to no file",
        "README.md: 'x.png' leads to no file",
        "README.md: 'docs/guide.md#later' leads to no heading",
        "README.md: 'docs/none.md' leads to no file",
    ]


def test_every_command_on_a_page_exists() -> None:
    """Each `make …` and `ken …` in a block or in code on our pages names real targets, commands and options."""
    assert_none(dead_commands(PROJECT, ken()))


def test_planted_dead_commands_are_caught(tmp_path: Path) -> None:
    """Unknown targets, commands and options are caught behind prompts, variables, option values and pipes."""
    plant(tmp_path, "Makefile", ".PHONY: help up\n")
    plant(
        tmp_path,
        "README.md",
        """
        Say `make up`, `ken version` or `make down`; `ken.toml` is a file, and so is `make.txt`.

        ```sh
        $ KEN_PORT=1 make KEN_HOME=x up   # serves
        .venv/bin/ken --home x keys add --group staff nora | cat
        ken --home x keys ad
        ken keys add --grop staff
        ken sing > song.txt
        ```

        ```text
        ken output is no command
        ```
        """,
    )
    terminal = Group(
        options={"--home": True},
        commands={"version": {}, "keys": Group(options={}, commands={"add": {"--group": True}})},
    )
    assert dead_commands(tmp_path, terminal) == [
        "README.md: `ken --home x keys ad`: no command 'ad'",
        "README.md: `ken keys add --grop staff`: no option '--grop'",
        "README.md: `ken sing`: no command 'sing'",
        "README.md: `make down`: no target 'down'",
    ]


def test_the_map_of_files_is_the_tree() -> None:
    """The README's map names paths that exist, and every file and folder at the top."""
    assert_none(wrong_map(PROJECT))


def test_a_planted_wrong_map_is_caught(tmp_path: Path) -> None:
    """A path that is gone, a top-level folder left out and a map left out are caught."""
    plant(tmp_path, "README.md", "# Ken\n")
    assert wrong_map(tmp_path) == [f"README.md: no {MAP}"]
    plant(tmp_path, "src/ken/errors.py")
    plant(tmp_path, "bench/speed.py")
    plant(
        tmp_path,
        "README.md",
        "# Ken\n## A map of the files\n```\nREADME.md   this page\nsrc/\n├── ken/   the assistant\n"
        "│   ├── errors.py   the tree\n│   └── gone.py   was here\n└── kenlab/\n```\n",
    )
    assert wrong_map(tmp_path) == [
        "README.md: the map names 'src/ken/gone.py', which is not there",
        "README.md: the map names 'src/kenlab/', which is not there",
        "README.md: the map leaves out 'bench'",
    ]


def test_make_offers_the_six_commands() -> None:
    """`make` alone lists the six commands, each with a word about it, and nothing else."""
    make = shutil.which("make") or "make"
    shown = subprocess.run(
        [make, "--no-print-directory"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    lines = [re.fullmatch(r"  make (\w+) +(\S.+)", line) for line in shown.splitlines()]
    assert [line[1] for line in lines if line] == SIX == make_targets(PROJECT)
    assert len(lines) == len(SIX)
