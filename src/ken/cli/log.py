"""The home's log: what people need not see, and operators may want to."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
from pathlib import Path

from ken.cli.output import tell
from ken.text.redaction import RedactionPolicy, redact

_BYTES = 5_000_000
_KEPT = 3


def log_of(home: Path) -> Path:
    """Where the log of a home lies."""
    return home / "logs" / "ken.log"


def make_folder(log: Path) -> None:
    """Make the log's folder, and the home around it, for this user alone. Raises OSError."""
    for folder in (log.parent.parent, log.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def log_to(home: Path, *, aloud: bool = False, policy: RedactionPolicy = "secrets") -> None:
    """Send everything from warnings upwards to the home's log, redacted; `aloud`, the first line of each to stderr as well."""
    to_file = _HomeLog(log_of(home), maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True)
    to_file.setFormatter(_Redacted("%(asctime)s %(levelname)s %(name)s %(message)s", policy))
    logging.basicConfig(level=logging.WARNING, handlers=[to_file, _Brief(policy)] if aloud else [to_file], force=True)


class _Redacted(logging.Formatter):
    """Takes out what is taken out of the record, of tracebacks too."""

    def __init__(self, form: str, policy: RedactionPolicy) -> None:
        super().__init__(form)
        self._policy: RedactionPolicy = policy

    def format(self, record: logging.LogRecord) -> str:
        """Write a line, and its traceback."""
        return redact(super().format(record), self._policy)


class _HomeLog(logging.handlers.RotatingFileHandler):
    """Makes its folder with the first thing that there is to say: looking at a home must not make one."""

    def _open(self) -> io.TextIOWrapper:
        make_folder(Path(self.baseFilename))
        return super()._open()


class _Brief(logging.Handler):
    """The first line of a message on stderr; the rest is in the file."""

    def __init__(self, policy: RedactionPolicy) -> None:
        super().__init__()
        self._policy: RedactionPolicy = policy

    def emit(self, record: logging.LogRecord) -> None:
        """Print it. Where that can't be done, whoever logs goes on: stderr may be a file on a full disk, or a pipe that nobody reads."""
        with contextlib.suppress(OSError, ValueError):
            tell(f"ken: {redact(record.getMessage(), self._policy).splitlines()[0]}")
