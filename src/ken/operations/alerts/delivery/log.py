"""Messages in the log, and as structured events."""

from __future__ import annotations

import logging
from typing import Protocol

from ken.domain.alert import Notice
from ken.operations.alerts.delivery.message import Links

_log = logging.getLogger("ken.alerts")


class Events(Protocol):
    """The part of `telemetry.events.EventLog` that is needed here."""

    def emit(self, kind: str, *, trace_id: str = "", at: float | None = None, **facts: str | float | None) -> None:
        """Write one event."""
        ...


class LogChannel:
    """One line an alert."""

    def __init__(self, events: Events | None = None, *, links: Links | None = None) -> None:
        self._events = events
        self._links = links or Links()

    async def send(self, notice: Notice) -> None:
        """As promised by `Channel`; nothing can go wrong here."""
        if notice.title:
            _log.warning("%s", notice.title)
        for alert in () if notice.title else notice.alerts:
            state = "firing" if alert.is_on else "resolved"
            # A home's log has warnings and worse: what it says of a beginning, it has to say of the end.
            level = logging.ERROR if alert.is_on and alert.severity == "hard" else logging.WARNING
            _log.log(level, "alert %s: %s: %s", state, alert.name, alert.summary)
            if self._events is not None:
                self._events.emit(
                    f"alert.{state}",
                    trace_id=alert.traces[0] if alert.traces else "",
                    rule=alert.rule,
                    labels=", ".join(f"{name}={value}" for name, value in alert.labels),
                    severity=alert.severity,
                    value=alert.value,
                    expected=alert.expected,
                    summary=alert.summary,
                    where=alert.where,
                    link=self._links.view(alert),
                )

    async def aclose(self) -> None:
        """As promised by `Channel`."""
