from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.tree import parsed


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Let go of the parsed files after the last rule: other tests need their memory."""
    if nextitem is None or not nextitem.path.is_relative_to(Path(__file__).parent):
        parsed.cache_clear()
