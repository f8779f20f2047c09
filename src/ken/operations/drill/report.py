"""A drill told: as rows for a terminal, as JSON, and as a page."""

from __future__ import annotations

import time
from dataclasses import asdict
from html import escape
from typing import cast

from ken.domain.wire import Json
from ken.operations.chart import facts, page, table
from ken.operations.drill.finding import Finding
from ken.operations.drill.run import DrillReport

HEAD = ("fault", "verdict", "s", "what was seen")


def row(finding: Finding) -> tuple[str, ...]:
    """A finding under HEAD."""
    return finding.fault, finding.verdict, f"{finding.seconds:.1f}", finding.seen


def summary(report: DrillReport) -> str:
    """In one line."""
    counts = {
        verdict: sum(each.verdict == verdict for each in report.findings) for verdict in ("passed", "failed", "skipped")
    }
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(report.findings)} faults on {report.on} in {report.seconds:.0f} s: {told}."


def as_json(report: DrillReport) -> dict[str, Json]:
    """All of it."""
    return cast("dict[str, Json]", asdict(report)) | {"passed": report.passed}


def html(report: DrillReport) -> str:
    """The page."""
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report.started_at))
    counts = {
        "passed": str(sum(each.verdict == "passed" for each in report.findings)),
        "failed": str(len(report.failed)),
        "skipped": str(sum(each.verdict == "skipped" for each in report.findings)),
        "seconds": f"{report.seconds:.0f}",
    }
    sections = "".join(
        f"<h2>{title}</h2>{_table(found)}"
        for group, title in (("model", "Models"), ("store", "Stores"), ("process", "Processes"))
        if (found := [each for each in report.findings if each.group == group])
    )
    body = (
        f'<h1>Drill</h1><p class="soft">{escape(report.on)}, {made}, release {escape(report.release or "unknown")}</p>'
        f"{facts(counts)}<p>Each fault was brought about on a running copy; what came of it stands beside what the table of "
        f"expectations says.</p>{sections}"
    )
    return page("Drill", body)


def _table(findings: list[Finding]) -> str:
    kinds = {"passed": "good", "failed": "bad", "skipped": "soft"}
    rows = [
        (
            f"<b>{escape(each.fault)}</b>",
            f'<span class="{kinds[each.verdict]}">{each.verdict}</span>',
            escape(each.expected),
            escape(each.seen) + _evidence(each),
            f"{each.seconds:.1f}",
        )
        for each in findings
    ]
    return table(("fault", "verdict", "expected", "seen", "s"), rows, left=4)


def _evidence(finding: Finding) -> str:
    if not finding.evidence:
        return ""
    lines = "".join(f"<li>{escape(each)}</li>" for each in finding.evidence)
    return f'<details class="soft"><summary>evidence</summary><ul>{lines}</ul></details>'
