"""The parser's worker process: reads files from its input and answers with documents, under limits of its own.

Run as `python -m ken.knowledge.parse.worker MEMORY_MB TIME_LIMIT_S [ocr]` by `IsolatedParser`; it ends with its input.
"""

from __future__ import annotations

import logging
import math
import os
import resource
import sys
from pathlib import Path
from typing import BinaryIO

from ken.errors import Unreadable
from ken.knowledge.parse.ocr import EXTRA_MEMORY_MB, PAGE_LIMIT_S, Recogniser
from ken.knowledge.parse.parser import parse
from ken.knowledge.parse.wire import ANSWER, READY, REQUEST, Outcome, document_to_json

_MEBIBYTE = 1 << 20


def main(memory_mb: int, time_limit_s: float, *, ocr: bool = False) -> None:
    """Serve until the input ends or memory runs out."""
    # Whatever a library prints must not get into the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logging.disable(logging.CRITICAL)
    _limit(memory_mb + (EXTRA_MEMORY_MB if ocr else 0))
    _limit_memory(memory_mb)

    def _still_working() -> None:
        _limit_memory(memory_mb + EXTRA_MEMORY_MB)
        _limit_time(PAGE_LIMIT_S)
        answers.write(ANSWER.pack(Outcome.WORKING, 0))
        answers.flush()

    recogniser = Recogniser(_still_working) if ocr else None
    answers.write(READY)
    answers.flush()
    while header := sys.stdin.buffer.read(REQUEST.size):
        name_length, length = REQUEST.unpack(header)
        name = sys.stdin.buffer.read(name_length).decode()
        _limit_time(time_limit_s)
        if recogniser is not None:
            _limit_memory(memory_mb)
        outcome = _serve(answers, name, length, recogniser)
        if outcome is Outcome.MEMORY:
            return


def _serve(answers: BinaryIO, name: str, length: int, recogniser: Recogniser | None) -> Outcome:
    try:
        data = sys.stdin.buffer.read(length)
        # The size was checked before the file was sent.
        parsed = parse(data, name=name, max_file_mb=math.inf, recogniser=recogniser)
        outcome, payload = Outcome.PARSED, document_to_json(parsed)
    except Unreadable as error:
        outcome, payload = Outcome.UNREADABLE, str(error).encode("utf-8", errors="replace")
    except MemoryError:
        outcome, payload = Outcome.MEMORY, b""
    answers.write(ANSWER.pack(outcome, len(payload)))
    answers.write(payload)
    answers.flush()
    return outcome


def _limit(memory_mb: int) -> None:
    """No core dumps, no files, and never more than `memory_mb` of address space above what the process has now."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    used = _address_space()
    if used is not None:
        most = used + memory_mb * _MEBIBYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_memory(memory_mb: int) -> None:
    """At most `memory_mb` of address space above what the process has now, and no more than `_limit` has left."""
    used = _address_space()
    if used is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (min(used + memory_mb * _MEBIBYTE, most), most))


def _address_space() -> int | None:
    """Bytes; None where the kernel does not tell, as on macOS, which does not enforce the limit either."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return None
    return int(status.read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _limit_time(time_limit_s: float) -> None:
    """End by itself if it is still working long after the parser should have killed it, because that one is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + 2 * time_limit_s + 5)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), ocr="ocr" in sys.argv[3:])
