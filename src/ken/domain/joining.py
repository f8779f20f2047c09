"""One trace of what Ken and others told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ken.domain.trace import Link, Span

ASKED_FOR = "asked for"
"""Why a tool's span is linked to a call of a model."""
TOOL_CALL = frozenset({"gen_ai.tool.call.id", "tool_call_id"})
"""Where a tool's span, somebody else's or Ken's own, names the tool call that it serves."""


def joined(own: Sequence[Span], others: Iterable[Span], *, trace_id: str) -> tuple[Span, ...]:
    """The spans of a trace by time, each id once: nobody's span takes the place of Ken's own, or of one that came before it.

    A tool's span is linked to the call of a model that asked for it, which it needn't stand under.
    """
    known: dict[str, Span] = {}
    for span in (*own, *others):
        known.setdefault(span.id, span)
    asked = {
        tool_call: span.id
        for span in own
        if span.name == "call"
        for name, value in span.attributes
        if name == "tool_calls" and isinstance(value, str)
        for tool_call in value.split(",")
    }
    linked = (_linked(span, asked, trace_id) for span in known.values()) if asked else known.values()
    return tuple(sorted(linked, key=lambda span: span.started_at))


def _linked(span: Span, asked: dict[str, str], trace_id: str) -> Span:
    served = next((str(value) for name, value in span.attributes if name in TOOL_CALL), None)
    call = asked.get(served) if served is not None else None
    if call is None or any(link.span_id == call for link in span.links):
        return span
    return replace(span, links=(*span.links, Link(trace_id, call, ASKED_FOR)))
