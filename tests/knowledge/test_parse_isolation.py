from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from ken.errors import Unreadable
from ken.knowledge.parse.parser import IsolatedParser, parse

PAGE = b"<title>T</title><meta name=groups content='b, a'><h1>One</h1><p>Two \xc3\xbc</p>"
SLOW = b"<div>" * 300_000
"""A tree so deep that building it takes minutes."""


def children() -> set[int]:
    """The process ids of this process's children."""
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_a_worker_gives_what_parsing_here_gives() -> None:
    """The document comes back whole: text, blocks, metadata, warnings."""
    with IsolatedParser() as parser:
        assert parser.parse(PAGE, name="a.html") == parse(PAGE, name="a.html")
        assert parser.parse(b"# M\n", name="a.md") == parse(b"# M\n", name="a.md")


def test_an_unreadable_file_says_why_and_the_worker_goes_on() -> None:
    """The messages are those of parsing here."""
    with IsolatedParser() as parser:
        with pytest.raises(Unreadable, match=r"'a\.pdf' is broken"):
            parser.parse(b"%PDF-1.4 nonsense", name="a.pdf")
        with pytest.raises(Unreadable, match="is empty"):
            parser.parse(b"", name="a.html")
        assert parser.parse(PAGE, name="b.html").metadata.title == "T"


def test_a_slow_file_is_given_up_and_the_next_is_read() -> None:
    """The time limit holds, and costs one worker."""
    with IsolatedParser(time_limit_s=1.0) as parser:
        began = time.perf_counter()
        with pytest.raises(Unreadable, match=r"'slow\.html' took longer than 1 s to parse"):
            parser.parse(SLOW, name="slow.html")
        assert time.perf_counter() - began < 10
        assert parser.parse(PAGE, name="b.html").metadata.title == "T"


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not limit address space")
def test_a_file_that_needs_too_much_memory_is_given_up_and_the_next_is_read() -> None:
    """The memory limit holds, and costs one worker."""
    with IsolatedParser(memory_mb=100) as parser:
        with pytest.raises(Unreadable, match=r"'large\.html' .*100 MB of memory"):
            parser.parse(b"<p>x" * 6_000_000, name="large.html")
        assert parser.parse(PAGE, name="b.html").metadata.title == "T"


def test_large_files_do_not_reach_the_worker() -> None:
    """The size is checked first."""
    with IsolatedParser(max_file_mb=0.001) as parser, pytest.raises(Unreadable, match=r"at most 0\.001 MB"):
        parser.parse(b"<p>" + b"x" * 2_000, name="a.html")


def test_several_threads_take_turns() -> None:
    """Answers never get mixed up."""
    found: dict[int, str] = {}
    with IsolatedParser() as parser:

        def read(number: int) -> None:
            found[number] = parser.parse(f"<p>page {number}".encode(), name=f"{number}.html").text

        threads = [threading.Thread(target=read, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: f"page {number}\n" for number in range(12)}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_worker_starts_late_is_reused_and_ends_with_its_parser() -> None:
    """Markdown starts none; many files need one; closing leaves none."""
    before = children()
    with IsolatedParser() as parser:
        parser.parse(b"# M\n", name="a.md")
        assert children() == before
        for number in range(5):
            parser.parse(PAGE, name=f"{number}.html")
        assert len(children() - before) == 1
    assert children() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_worker_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment is handed on but where Python's modules are."""
    monkeypatch.setenv("KEN_SECRET", "planted")
    before = children()
    with IsolatedParser() as parser:
        parser.parse(PAGE, name="a.html")
        (worker,) = children() - before
        environment = Path(f"/proc/{worker}/environ").read_bytes()
    assert b"planted" not in environment
    assert os.environ["KEN_SECRET"] == "planted"
