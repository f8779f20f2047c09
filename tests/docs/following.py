"""A home in which the pages on sources are followed: their ken.toml and commands as they stand, only addresses replaced."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from ken.cli.main import app
from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT

_SECONDS = re.compile(r"\b\d+\.\d s$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Told:
    """What a command printed."""

    out: str
    err: str

    @property
    def untimed(self) -> str:
        """Its data without seconds, which differ from run to run, and without blanks at the ends."""
        return untimed(self.out)


@dataclass(frozen=True, slots=True)
class Followed:
    """A page that was followed."""

    told: tuple[Told, ...]
    """By its commands, in their order."""
    shown: tuple[str, ...]
    """What the page shows of it: its blocks of text, without seconds."""


@dataclass(slots=True)
class Reader:
    """Somebody who follows pages, one after the other, in one home."""

    home: Path

    def write(self, toml: str) -> None:
        """Make this the home's ken.toml."""
        (self.home / "ken.toml").write_text(toml, encoding="utf-8")

    async def ken(self, *command: str, code: int = 0, **environment: str) -> Told:
        """Run a command of a page."""
        run = partial(CliRunner().invoke, app, ["--home", str(self.home), *command], env=environment)
        done = await anyio.to_thread.run_sync(run)
        assert done.exit_code == code, f"{command}: {done.exit_code}\n{done.output}\n{done.exception!r}"
        return Told(done.stdout, f"{done.stderr}{done.exception or ''}")

    async def follow(
        self,
        page: str,
        heading: str,
        *,
        addresses: Mapping[str, str],
        added: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Followed:
        """Write the first ken.toml that stands under a heading, run the commands there, and return what came.

        Each of `addresses` has to stand in the table; `added` are lines for the table's end. The secrets that the page
        exports are those in `environment`, no more and no less.
        """
        found = [block for block in blocks(PROJECT / page) if block.heading == heading]
        toml = next(block.text for block in found if block.language == "toml")
        shell = "".join(block.text for block in found if block.language == "sh")
        for address, real in addresses.items():
            assert address in toml, f"{page} has no {address!r}"
            toml = toml.replace(address, real)
        self.write(f"{toml}\n{added}\n")
        exported = set(re.findall(r"^export (\w+)=", shell, re.MULTILINE))
        assert exported == set(environment or {}), f"{page} exports {exported}"
        lines = [line for line in shell.splitlines() if line.startswith("ken ")]
        told = [await self.ken(*shlex.split(line)[1:], **(environment or {})) for line in lines]
        return Followed(tuple(told), tuple(untimed(block.text) for block in found if block.language == "text"))


def untimed(text: str) -> str:
    """A text without seconds at its lines' ends, and without blanks at its own."""
    return _SECONDS.sub("_ s", text).strip()


def in_shell(line: str, *, key: str, place: Path) -> str:
    """What a page's line with curl prints, run in a folder with the key that the page exports.

    Without curl: a skip for a person, a failure in CI.
    """
    curl = shutil.which("curl")
    if curl is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no curl is installed")
    command = ["/bin/sh", "-ec", line.replace("curl ", f"{curl} --silent --fail ", 1)]
    done = subprocess.run(command, env={"KEY": key}, cwd=place, capture_output=True, check=True, text=True, timeout=20)
    return done.stdout
