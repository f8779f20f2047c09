"""What a message says: one text for people, one object for programs, with links to the figures and to the traces that caused it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from ken.domain.alert import Alert, Notice

_MOST_TRACES = 5
_MOST_ALERTS = 20
LIST = "ken alerts list"

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Links:
    """Where a Ken is found from outside."""

    base_url: str = ""
    """As `https://ken.example.com`; empty: messages have commands alone. Links lead to the console, which asks for an operator's key."""

    def view(self, alert: Alert) -> str:
        """Of the alert among its figures."""
        return f"{self.base_url}/alerts?alert={alert.fingerprint}" if self.base_url else ""

    def traces(self, alert: Alert) -> str:
        """Of the traces that caused it."""
        return f"{self.base_url}/traces?where={quote(alert.where)}" if self.base_url and alert.where else ""

    def trace(self, trace_id: str) -> str:
        """Of one trace."""
        return f"{self.base_url}/traces/{trace_id}" if self.base_url else ""


def subject(notice: Notice) -> str:
    """One line: how many are on, how many are over, and the first one's name."""
    if notice.title:
        return notice.title
    firing, resolved = notice.firing, notice.resolved
    counts = [f"{len(some)} {word}" for some, word in ((firing, "firing"), (resolved, "resolved")) if some]
    return f"[Ken] {notice.group}: {', '.join(counts)}: {notice.alerts[0].name}"


def text(notice: Notice, links: Links) -> str:
    """For people, in lines."""
    if notice.body:
        return notice.body
    lines = [subject(notice), ""]
    for alert in notice.alerts[:_MOST_ALERTS]:
        lines += _told(alert, links)
    left = len(notice.alerts) - _MOST_ALERTS
    if left > 0:
        lines.append(f"... and {left} more: {LIST}")
    return "\n".join(lines).rstrip() + "\n"


def _told(alert: Alert, links: Links) -> list[str]:
    since = f"since {clock(alert.fired_at)}" if alert.is_on else f"over at {clock(alert.resolved_at)}"
    lines = [f"{'FIRING' if alert.is_on else 'RESOLVED'} {alert.name} ({alert.severity}, {since})"]
    lines.append(f"  {alert.summary}")
    if alert.is_on:
        if alert.where:
            lines.append(f"  traces: {_command(alert)}")
            lines += [f"    {url}" for url in (links.traces(alert),) if url]
        lines += [f"    ken trace {trace} {links.trace(trace)}".rstrip() for trace in alert.traces[:_MOST_TRACES]]
        lines.append(f"  more: {LIST}, ken why {alert.fingerprint[:8]}")
        lines += [f"    {url}" for url in (links.view(alert),) if url]
        if alert.runbook:
            lines.append(f"  what to do: {alert.runbook}")
    return [*lines, ""]


def _command(alert: Alert) -> str:
    """As a shell takes it, whatever stands in the filter."""
    return f"ken trace --where {shlex.quote(alert.where)}" if alert.where else ""


def payload(notice: Notice, links: Links) -> dict[str, Json]:
    """For programs. Fields are only ever added."""
    return {
        "version": 1,
        "id": notice.id,
        "group": notice.group,
        "at": notice.made_at,
        "subject": subject(notice),
        "body": notice.body,
        "alerts": [_plain(alert, links) for alert in notice.alerts],
    }


def _plain(alert: Alert, links: Links) -> Json:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "labels": dict(alert.labels),
        "severity": alert.severity,
        "state": "firing" if alert.is_on else "resolved",
        "began_at": alert.began_at,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "value": alert.value,
        "expected": alert.expected,
        "count": alert.count,
        "summary": alert.summary,
        "runbook": alert.runbook,
        "where": alert.where,
        "traces": list(alert.traces),
        "links": {
            "view": links.view(alert),
            "traces": links.traces(alert),
            "each": [links.trace(trace) for trace in alert.traces if links.base_url],
        },
        "commands": {"view": LIST, "why": f"ken why {alert.fingerprint[:8]}", "traces": _command(alert)},
    }


def blocks(notice: Notice, links: Links) -> dict[str, Json]:
    """As Slack takes it: blocks, and a text for notifications (https://docs.slack.dev/reference/block-kit/blocks)."""
    parts: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(subject(notice), 150)}},
    ]
    if notice.body:
        # Slack reads no Markdown: it is shown as it is written.
        lines = _escaped(notice.body).split("\n\n")
        parts += [_section(part) for part in lines[:_MOST_ALERTS] if part.strip()]
    for alert in notice.alerts[:_MOST_ALERTS]:
        mark = ":red_circle:" if alert.is_on else ":white_check_mark:"
        parts.append(_section(f"{mark} *{_escaped(alert.name)}* ({alert.severity})\n{_escaped(alert.summary)}"))
        ends = [f"since {clock(alert.fired_at)}" if alert.is_on else f"over at {clock(alert.resolved_at)}"]
        ends += [
            f"<{url}|{word}>" for word, url in (("figures", links.view(alert)), ("traces", links.traces(alert))) if url
        ]
        if alert.is_on:
            ends += [f"<{links.trace(trace)}|{trace[:8]}>" for trace in alert.traces[:_MOST_TRACES] if links.base_url]
        if alert.is_on and alert.where:
            ends.append(f"`{_escaped(_command(alert).replace('`', ''))}`")
        parts.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(" · ".join(ends), 2900)}]})
    return {"text": subject(notice), "blocks": parts[:50]}


def _section(told: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(told, 2900)}}


def _escaped(told: str) -> str:
    """Slack's three signs (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(told: str, most: int) -> str:
    return told if len(told) <= most else f"{told[: most - 1]}…"


def clock(at: float | None) -> str:
    """A time for people, in UTC."""
    return "unknown" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
