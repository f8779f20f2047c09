"""Writes the tables of docs/guides/opentelemetry.md from the mapping itself: part of `python -m docs.build`, or `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ken.telemetry.otel.mapping import ERROR_TYPE, OTHER_ATTRIBUTES, TABLE, Attribute, Mapped

PAGE = Path(__file__).parent / "guides" / "opentelemetry.md"
BEGIN, END = "<!-- the table: written by `make docs` -->", "<!-- the table ends -->"
_FOR_ALL = f"""Every span that failed has `{ERROR_TYPE}`: the kind of failure as metrics count it (`429`, `timeout`), else the error's
class. An attribute of Ken's span that isn't named above is exported as `{OTHER_ATTRIBUTES}` where it is a number, or yes or no;
where it is text, only with `content`.
"""
_WORDS = {
    "double": "as a double",
    "seconds": "in seconds",
    "money": "in whole units",
    "words": "as an array",
    "user message": "as a message",
    "assistant message": "as a message",
    "prompt": "as messages",
    "documents": "as JSON",
}


def table() -> str:
    """A section for each kind of span, and what holds for all."""
    return "\n".join([*(_section(row) for row in TABLE), _FOR_ALL])


def page(text: str) -> str:
    """The page with its tables written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def _section(row: Mapped) -> str:
    which = f"`{row.span}`" + (f" ({row.operation})" if row.operation else "")
    which = "any other" if row.span == "*" else which
    lines = [f"### {which} → `{row.name}`, {row.kind}\n", f"{_capital(row.about)}.\n"]
    if row.attributes:
        lines += ["| attribute | is | |", "|---|---|---|", *(_row(one) for one in row.attributes), ""]
    return "\n".join(lines)


def _row(one: Attribute) -> str:
    return f"| `{one.name}` | {_source(one)} | {'. '.join(_capital(each) for each in _remarks(one))} |"


def _source(one: Attribute) -> str:
    if one.form in {"currency", "local"}:
        return {"currency": '`"USD"`', "local": '`"local"`'}[one.form]
    if one.source == "always":
        return f'`"{one.key}"`'
    form = f" {_WORDS[one.form]}" if one.form in _WORDS else ""
    return (f"the trace's `{one.key}`" if one.source == "trace" else f"`{one.key}`") + form


def _remarks(one: Attribute) -> Iterator[str]:
    if one.is_content:
        yield "with `content` alone"
    if one.about:
        yield one.about
    if one.newer is not None:
        new = [name for name in one.newer if name != one.name]
        if new:
            yield f"in the newer set {'also ' if one.name in one.newer else ''}{', '.join(f'`{name}`' for name in new)}"
        elif one.newer:
            yield "in the newer set alone"
        else:
            yield "not in the newer set"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
