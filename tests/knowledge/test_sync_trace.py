"""A sync is on record as a question is: when it ran, what it took, and how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.errors import InvalidInput
from ken.settings import load
from ken.wiring import open_home

pytestmark = pytest.mark.anyio


async def test_a_sync_is_a_trace(home: Path, folder: Path) -> None:
    """Its spans say how long reading and committing took, the root what came of it; it is for operators alone."""
    (folder / "leave.md").write_text("# Leave\n\nThirty days a year.\n")
    ken = await open_home(load(home))
    try:
        report = await ken.library.sync_folder(folder, collection="handbook")
        ken.recorder.flush()
        (listed,) = ken.traces.list(LOCAL_OPERATOR).entries
        trace = ken.traces.get(listed.id, LOCAL_OPERATOR)
        hidden = ken.traces.list(Principal("ada")).entries
    finally:
        await ken.aclose()
    root, *steps = trace.spans
    facts = dict(root.attributes)
    assert (trace.kind, trace.outcome, trace.corpus_version) == ("sync", "finished", report.corpus_version)
    assert [span.name for span in steps] == ["read", "commit"]
    assert (facts["collection"], facts["added"], facts["failed"]) == ("handbook", report.added, 0)
    assert hidden == ()


async def test_a_sync_that_fails_says_why(home: Path, tmp_path: Path) -> None:
    """Its trace has the error, as the person who asked for it has."""
    gone = tmp_path / "gone"
    ken = await open_home(load(home))
    try:
        with pytest.raises(InvalidInput) as error:
            await ken.library.sync_folder(gone, collection="handbook")
        ken.recorder.flush()
        (trace,) = ken.traces.list(LOCAL_OPERATOR).entries
    finally:
        await ken.aclose()
    assert (trace.kind, trace.outcome) == ("sync", "failed")
    assert str(error.value) in trace.error
