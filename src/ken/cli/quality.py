"""`ken quality`: what is wrong with the documents of a collection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, shown, tell
from ken.domain.principal import LOCAL_OPERATOR
from ken.knowledge.quality.findings import STALE_AFTER_DAYS

if TYPE_CHECKING:
    from ken.knowledge.quality.findings import Finding, QualityReport
    from ken.wiring import Ken


def quality(
    context: typer.Context,
    collection: Annotated[str, typer.Argument(help="The collection to report on.")],
    *,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Entries shown of each kind; 0 shows all.")] = 20,
    stale_after_days: Annotated[
        int,
        typer.Option("--stale-after", min=1, help="Days without a change after which a document is out of date."),
    ] = STALE_AFTER_DAYS,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Report on the quality of a collection: what its owners would want to know.

    Empty, near-duplicate, boilerplate, unreadable, out-of-date, contradictory and orphaned documents, broken links,
    sentences addressed to the assistant, what was lost in reading, groups that no key has, and languages.
    """
    work = partial(_report, collection=collection, stale_after_days=stale_after_days)
    report = in_home(settings_there(context, home), work)
    if as_json:
        say_json(report)
    else:
        _show(report, limit)


async def _report(ken: Ken, *, collection: str, stale_after_days: int) -> QualityReport:
    held = await anyio.to_thread.run_sync(ken.keys.groups)
    return await ken.library.quality(LOCAL_OPERATOR, collection, held_groups=held, stale_after_days=stale_after_days)


def _show(report: QualityReport, limit: int) -> None:
    spoken = ", ".join(f"{share.language} {share.count}" for share in report.languages)
    say(f"{report.collection}: {report.documents} documents; languages: {spoken or 'none'}")
    clean = [finding.kind for finding in report.findings if not finding.count]
    for finding in report.findings:
        if finding.count:
            _show_finding(finding, report.collection, limit)
    if clean:
        tell(f"\nNothing found: {', '.join(clean)}.")


def _show_finding(finding: Finding, collection: str, limit: int) -> None:
    say(f"\n{finding.count} {finding.kind}: documents that {finding.meaning}")
    entries = finding.entries[:limit] if limit else finding.entries
    width = min(48, max(len(entry.document_id) - len(collection) - 1 for entry in entries))
    for entry in entries:
        path = entry.document_id.removeprefix(f"{collection}/")
        related = ", ".join(name.removeprefix(f"{collection}/") for name in entry.related)
        line = f"  {path:<{width}}  {entry.detail}" + (f"  → {related}" if related else "")
        say(shown(line, to_terminal=True))
    if len(entries) < finding.count:
        say(f"  … and {finding.count - len(entries)} more: --limit 0 shows all")
