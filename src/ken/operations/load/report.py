"""A load test told: as lines for a terminal, as JSON, and as a page with plots."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import cast

from ken.domain.events import STAGES
from ken.domain.wire import Json
from ken.operations.chart import Chart, Line, bars, facts, lines, page, table
from ken.operations.load.figures import Percentiles, Step
from ken.operations.load.knee import FEWEST_POINTS
from ken.operations.load.run import LoadReport
from ken.operations.load.traces import QUEUE

HEAD = (
    "load",
    "asked",
    "answers/s",
    "in flight",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "TTFT p50",
    "TTFT p95",
    "TTFT p99",
    "errors",
)
_BUSY_CLIENT = 0.7
_MOSTLY = 0.5
_UNCACHED = (
    " That is little of what models carry: ask more different questions (`--questions FILE --popularity 0`), or a copy without a "
    "cache (`--with-mock WORDS --no-cache`)."
)
_SMALL = 0.03
"""A stage that never takes more than this of the longest bar isn't drawn on its own."""
_FLAT = 0.9
"""Below this share of the variance the law tells less than the curve itself."""


def row(step: Step) -> tuple[str, ...]:
    """A step's figures, under HEAD."""
    return (
        f"{step.at:g}",
        f"{step.asked:,}",
        f"{step.rate:,.1f}",
        f"{step.in_flight:,.1f}",
        *_three(step.ms),
        *_three(step.ttft_ms),
        errors_of(step),
    )


def errors_of(step: Step) -> str:
    """By kind, as in `429: 12, timeout: 1`."""
    return ", ".join(f"{kind}: {count:,}" for kind, count in step.errors.items()) or "-"


def as_json(report: LoadReport) -> dict[str, Json]:
    """All of it."""
    return cast("dict[str, Json]", asdict(report)) | {"passed": report.passed, "peak": _law_json(report)}


def conclusions(report: LoadReport) -> list[str]:
    """What follows from it, a sentence each."""
    knee, plan = report.knee, report.plan
    told: list[str] = []
    bar = f"errors up to {plan.errors:.1%}" + (
        "" if plan.p95_ms is None else f" and an end-to-end p95 up to {plan.p95_ms:g} ms"
    )
    told.append(
        f"Carried with {bar}: {'not even the first step' if knee.carried is None else _at(report, knee.carried)}."
        + ("" if report.passed is None else f" Needed: {plan.need:g}, {'passed' if report.passed else 'FAILED'}.")
    )
    told.append(_knee(report))
    law = knee.law
    if law is not None and law.r2 >= _FLAT:
        words = f"Universal scalability law: contention {law.contention:.3f}, coherence {law.coherence:.5f} (R² {law.r2:.2f})"
        if law.peak is not None and law.ceiling is not None:
            words += f"; throughput peaks near {law.peak:,.0f} at once, at {law.ceiling:,.1f} answers a second"
        elif law.ceiling is not None:
            words += f"; at most {law.ceiling:,.1f} answers a second however many ask"
        told.append(f"{words}.")
    elif law is not None:
        told.append(
            f"The universal scalability law does not describe this curve (R² {law.r2:.2f}), so nothing is read off it."
        )
    if busy := [step for step in report.steps if step.client_share > _BUSY_CLIENT]:
        told.append(
            f"From {busy[0].at:g} on this client itself took {busy[0].client_share:.0%} of a core: the figures are partly "
            "its own. Run it on another machine."
        )
    if (most := max((step.cached for step in report.steps), default=0.0)) > 0:
        told.append(
            f"Up to {most:.0%} of a step's answers came from the answer cache.{_UNCACHED if most > _MOSTLY else ''}"
        )
    said = {kind: words for step in reversed(report.steps) for kind, words in step.said.items()}
    told += [f"The first error of kind {kind!r} said: {words}" for kind, words in sorted(said.items())]
    if report.ended_early:
        told.append(f"It ended early: {report.ended_early}.")
    return told


def _at(report: LoadReport, load: float) -> str:
    unit = "question" if report.is_open else "client"
    return f"{load:g} {unit}{'' if load == 1 else 's'}{' a second due' if report.is_open else ''}"


def _knee(report: LoadReport) -> str:
    if report.knee.at is not None:
        return f"The knee (Kneedle) is at {_at(report, report.knee.at)}: more load brings few more answers."
    if len(report.steps) < FEWEST_POINTS:
        many = "One step has" if len(report.steps) == 1 else f"{len(report.steps)} steps have"
        return f"{many} no knee: it takes {FEWEST_POINTS} at least, as in `--steps 1,2,4,8`."
    return "There is no knee: throughput rises in a line up to the last step, or not at all."


def html(report: LoadReport) -> str:
    """The page."""
    steps = report.steps
    marked = next((place for place, step in enumerate(steps) if step.at == report.knee.at), None)
    names = [f"{step.at:g}" for step in steps]
    across = "questions due a second" if report.is_open else "clients at once"
    best = max(steps, key=lambda step: step.rate, default=None)
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report.started_at))
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in conclusions(report))
    head = {
        "most answers a second": "-" if best is None else f"{best.rate:,.1f}",
        f"carried ({across})": "-" if report.knee.carried is None else f"{report.knee.carried:g}",
        f"knee ({across})": "-" if report.knee.at is None else f"{report.knee.at:g}",
        "questions asked": f"{sum(step.asked for step in steps):,}",
        "failed": f"{sum(sum(step.errors.values()) for step in steps):,}",
    }

    def chart(title: str, unit: str) -> Chart:
        return Chart(title=f"{title}, by {across}", unit=unit, steps=names, marked=marked)

    charts = [
        lines(chart("End to end", "ms"), _curves([step.ms for step in steps])),
        lines(chart("To the first text", "ms"), _curves([step.ttft_ms for step in steps])),
        lines(chart("Answers", "a second"), _throughput(report)),
        bars(chart("Where the time goes", "ms, mean"), _stages(steps)),
    ]
    failing = sorted({kind for step in steps for kind in step.errors})
    if failing:
        failures = {kind: [100 * step.errors.get(kind, 0) / max(1, step.asked) for step in steps] for kind in failing}
        charts.append(bars(chart("Errors", "% of the questions"), failures))
    body = (
        f'<h1>Load test</h1><p class="soft">{escape(report.url)}, model {escape(report.model)}, {made}'
        f"{f', release {escape(report.release)}' if report.release else ''}</p>"
        f'{facts(head)}{words}<div class="charts">{"".join(charts)}</div>'
        f"<h2>Figures</h2>{table(HEAD, [[escape(cell) for cell in row(step)] for step in steps])}"
        f"<h2>Stages, p50 / p95 ms of sampled traces</h2>{_stage_table(steps)}<h2>What was asked</h2>{_asked(report)}"
    )
    return page("Load test", body)


def _curves(found: Sequence[Percentiles | None]) -> list[Line]:
    return [
        Line("p99", [None if each is None else each.p99 for each in found], 2),
        Line("p95", [None if each is None else each.p95 for each in found], 1),
        Line("p50", [None if each is None else each.p50 for each in found], 0),
    ]


def _throughput(report: LoadReport) -> list[Line]:
    measured = [Line("measured", [step.rate for step in report.steps], 0)]
    law = report.knee.law
    if law is not None and law.r2 >= _FLAT:
        measured.append(Line("scalability law", [law.rate(step.in_flight) for step in report.steps], 4, is_law=True))
    if report.is_open:
        measured.append(Line("due", [step.at for step in report.steps], 5, is_law=True))
    return measured


def _stages(steps: Sequence[Step]) -> dict[str, list[float]]:
    """Mean milliseconds by step, of the stages that can be seen beside the others; the rest in one."""
    names = [name for name in STAGES if any(name in step.stages for step in steps)]
    means = {name: [step.stages[name].mean if name in step.stages else 0.0 for step in steps] for name in names}
    most = max((sum(values) for values in zip(*means.values(), strict=True)), default=0.0)
    small = [name for name, values in means.items() if max(values) < most * _SMALL]
    told = {name: values for name, values in means.items() if name not in small}
    if small:
        told["others"] = [sum(means[name][place] for name in small) for place in range(len(steps))]
    return told


def _stage_table(steps: Sequence[Step]) -> str:
    names = [name for name in (*STAGES, QUEUE) if any(name in step.stages for step in steps)]
    if not names:
        return '<p class="soft">No traces: the server is not Ken, or the key is no operator\'s.</p>'
    rows = [
        [name, *(f"{found.p50:,.1f} / {found.p95:,.1f}" if (found := step.stages.get(name)) else "-" for step in steps)]
        for name in names
    ]
    return table(["stage", *(f"{step.at:g}" for step in steps)], rows)


def _asked(report: LoadReport) -> str:
    mix = report.mix
    words = [step.context_words for step in report.steps if step.context_words is not None]
    longest = max((each.most for each in words), default=0.0)
    return (
        f"<p>{report.questions:,} different questions, the more popular ones more often (Zipf, exponent {mix.popularity:g}); "
        f"{mix.streamed:.0%} streamed; {mix.follow_ups:.0%} within a conversation whose words are log-normal around "
        f"{mix.median_words:g} (σ {mix.spread:g}; the longest had {longest:,.0f}). Seed {mix.seed}. "
        + (
            "Questions came at random moments, whether or not others were answered, and were timed from when they were due.</p>"
            if report.is_open
            else "Each client asked its next question as soon as it had its answer, so a slow server was asked less often; "
            "`--rate` asks without such mercy.</p>"
        )
    )


def _three(found: Percentiles | None) -> tuple[str, str, str]:
    return ("-", "-", "-") if found is None else (f"{found.p50:,.0f}", f"{found.p95:,.0f}", f"{found.p99:,.0f}")


def _law_json(report: LoadReport) -> dict[str, Json] | None:
    law = report.knee.law
    return None if law is None else {"clients": law.peak, "answers_per_s": law.ceiling}
