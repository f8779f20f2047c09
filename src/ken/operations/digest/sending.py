"""The digest as messages, one for each destination; a day's is made once, whoever makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ken.domain.alert import Notice
from ken.operations.digest.day import DayTold
from ken.operations.digest.markdown import markdown
from ken.operations.digest.page import page

GROUP = "digest"


def notices(told: DayTold, destinations: Iterable[str], *, now: float) -> tuple[Notice, ...]:
    """The messages; their ids are those of the day and the destination."""
    text, drawn = markdown(told), page(told)
    soft = tuple(each.alert for each in told.fired if each.alert.severity == "soft")
    return tuple(
        Notice(
            id=hashlib.sha256(f"{GROUP}\n{told.day.isoformat()}\n{destination}".encode()).hexdigest()[:32],
            group=GROUP,
            destination=destination,
            made_at=now,
            due_at=now,
            alerts=soft,
            title=title(told),
            body=text,
            page=drawn,
        )
        for destination in destinations
    )


def title(told: DayTold) -> str:
    """One line."""
    count = len(told.fired)
    alerts = "no alerts" if not count else f"{count} alert{'s' * (count != 1)}"
    first = ""
    if told.explanation.hypotheses:
        first = f", {told.explanation.hypotheses[0].moved.subject} moved first"
    return f"[Ken] {told.day.isoformat()}: {alerts}{first}"
