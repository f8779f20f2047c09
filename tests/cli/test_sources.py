"""`ken sources` and `ken sync` with the sources of ken.toml."""

from __future__ import annotations

from pathlib import Path

from tests.cli.terminal import Terminal
from tests.service.corpus import copy

TABLE = '[[sources]]\nname = "later"\nkind = "folder"\npath = "later"\ncollection = "papers"\n'


def test_sources_are_listed_before_their_first_sync(tmp_path: Path) -> None:
    """With those that were synced; an unknown state of documents is refused with the known ones."""
    terminal = Terminal(copy(tmp_path / "home"))
    (terminal.home / "ken.toml").write_text(TABLE, encoding="utf-8")
    listed = terminal.ken("sources", "list").stdout.splitlines()
    assert "later\tfolder\tpapers\t0\tnever\t" in listed
    assert len(listed) == 2
    refused = terminal.ken("sources", "show", "later", "--state", "lost", code=2).stderr
    assert "'lost' is no state of a document. There are: current, failed, waiting, skipped, held." in refused
