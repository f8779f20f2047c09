"""The built console: whole, small, of itself alone, in the wheel; and Node found or fetched to build it with."""

from __future__ import annotations

import gzip
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from ken.service.routes.console import FOLDER
from tests.architecture.tree import PROJECT
from tests.service.serving import Served

FIRST_LOAD = 300_000
WITH_NODE = PROJECT / "console/with-node"


def test_what_the_page_names_is_there_in_every_form(built: Path) -> None:
    """Each script and style sheet of the page is in the build; its compressed form unpacks to it."""
    page = (built / "index.html").read_text("utf-8")
    named = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert any(name.endswith(".js") for name in named)
    for name in named:
        file = built / name.removeprefix("/")
        assert file.is_file(), name
        packed = file.with_name(f"{file.name}.gz")
        if file.suffix in {".js", ".css"} and file.stat().st_size >= 1000:
            assert gzip.decompress(packed.read_bytes()) == file.read_bytes()
            assert file.with_name(f"{file.name}.br").stat().st_size < file.stat().st_size


def test_the_page_holds_no_script_or_style_of_its_own(built: Path) -> None:
    """The Content-Security-Policy lets files of Ken's own run, and nothing that stands in the page or comes from elsewhere."""
    page = (built / "index.html").read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page) == []
    assert "<style" not in page
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', page) == []


def test_the_first_page_loads_little(page: Page, served: Served) -> None:
    """All scripts of the page where one asks are 300 kB at most, as they travel; charts and PDF pages come when they are shown."""
    done: list[Request] = []
    page.on("requestfinished", lambda request: done.append(request))  # noqa: PLW0108 - it marks what it is given
    page.goto(served.url)
    heading = page.get_by_role("main").get_by_role("heading").filter(has_not_text="Loading")
    expect(heading.first).to_be_visible()
    scripts = [request for request in done if request.url.split("?")[0].endswith(".js")]
    sizes = {request.url.rpartition("/")[2]: request.sizes()["responseBodySize"] for request in scripts}
    assert sizes
    assert sum(sizes.values()) <= FIRST_LOAD, sizes
    assert [name for name in sizes if re.match("chart|echarts|pdf", name)] == []


def test_the_wheel_carries_the_console_that_git_leaves_out() -> None:
    """Where Ken looks for its console is what the wheel adds to the files of git."""
    place = f"{FOLDER.relative_to(PROJECT).as_posix()}/"
    built = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert place in built["artifacts"]
    assert place in (PROJECT / ".gitignore").read_text("utf-8").splitlines()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH with what a shell script needs, and without Node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env", "dirname", "mkdir", "ln", "cat"):
        found = next(place for place in map(Path, ("/usr/bin", "/bin")) if (place / name).exists())
        (folder / name).symlink_to(found / name)
    return folder


def environment(tmp_path: Path, python: str) -> Path:
    """A folder like a virtual environment whose Python is a shell script."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    script(venv / "bin/python", python)
    return venv


def script(path: Path, text: str) -> None:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def with_node(venv: Path, path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(WITH_NODE), str(venv), *command],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("old", [False, True])
def test_without_a_node_that_suits_the_packaged_one_is_used(tmp_path: Path, bare: Path, old: bool) -> None:  # noqa: FBT001
    """Node and npm come from the registry package in Ken's environment where the system has none, or an old one."""
    if old:
        script(bare / "node", "exit 1")
        script(bare / "npm", "echo old")
    venv = environment(tmp_path, f'exec {sys.executable} "$@"')
    told = with_node(venv, bare, "sh", "-c", "node --version && npm --version")
    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"v2\d\.\d+\.\d+\n\d+\.\d+\.\d+\n", told.stdout)


def test_a_node_that_suits_is_used_as_it_is(tmp_path: Path, bare: Path) -> None:
    """The system's Node runs the command, and nothing is installed."""
    script(bare / "node", "exit 0")
    script(bare / "npm", "echo here")
    venv = environment(tmp_path, "echo asked for python >&2; exit 1")
    told = with_node(venv, bare, "npm")
    assert (told.stdout, told.stderr) == ("here\n", "")


def test_where_no_node_can_be_had_the_remedy_is_told(tmp_path: Path, bare: Path) -> None:
    """It says which versions would do, what was tried, and that Ken works without a console."""
    told = with_node(environment(tmp_path, "exit 1"), bare, "npm")
    assert told.returncode == 1
    assert "needs Node 20.19" in told.stderr
    assert "Here is none" in told.stderr
    assert "Install Node" in told.stderr
    assert "work without a console" in told.stderr
