"""What a sweep found, in words: a table, how sure it is, and the lines for ken.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from ken.evals.tuning.space import line
from ken.evals.tuning.sweep import MOST_PASSAGES, OBJECTIVE, Gain, Measured, Numbers, Swept, Trial

KEEP = "Keep what you have"
_SHOWN_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 15, MOST_PASSAGES)


def table(swept: Swept, *, passages: int) -> str:
    """The trials with their gains, then how much evidence the first passages hold; `passages` go to the reader."""
    names = [line(trial.key, trial.value) for trial in swept.trials]
    width = max(map(len, [*names, "setting"]))
    lines = [
        f"{'setting':<{width}}   choosing   reporting   95 % interval       passages   tokens     ms",
        _row("as it is", swept.before, passages, width=width, gains=f"{'':>8}   {'':>9}   {'':<17}"),
    ]
    for name, trial in zip(names, swept.trials, strict=True):
        chosen, reported = gains(swept, trial)
        interval = f"{reported.low:+.3f} – {reported.high:+.3f}"
        cells = f"{chosen.value:>+8.3f}   {reported.value:>+9.3f}   {interval:<17}"
        mark = "  taken" if trial.is_taken else ""
        lines.append(_row(name, trial.measured, passages, width=width, gains=cells) + mark)
    return "\n".join([*lines, "", *_evidence(swept, passages)])


def verdict(swept: Swept) -> str:
    """What to do, and how sure that is."""
    choosing, reporting = int(swept.choosing.sum()), int(swept.reporting.sum())
    mean = " + ".join(OBJECTIVE)
    lines = [
        f"Chosen on {choosing} questions, reported on {reporting} others; the objective is ({mean}) / {len(OBJECTIVE)}.",
        *_sure(swept),
    ]
    if swept.start == swept.end:
        return "\n".join([*lines, f"{KEEP}: no value gained more than its standard error on the choosing half."])
    gain = swept.gain
    told = f"{gain.value:+.3f} ({gain.low:+.3f} – {gain.high:+.3f})"
    changes = [line(key, value) for key, value in swept.end.differences(swept.start)]
    if not swept.is_worth_it:
        tried = ", ".join(changes)
        return "\n".join(
            [*lines, f"{KEEP}: {tried} gave {told} on the reporting half, which leaves room for no gain at all."]
        )
    return "\n".join(
        [*lines, f"Change this: it gave {told} on the reporting half. In ken.toml:", "", "[search]", *changes]
    )


def gains(swept: Swept, trial: Trial) -> tuple[Gain, Gain]:
    """Of a trial, on the choosing and on the reporting half."""
    return Gain.of(trial.differences(swept.choosing)), Gain.of(trial.differences(swept.reporting))


def to_json(swept: Swept) -> str:
    """`{"recommendation": {...}, "gain": {...}, "trials": [{setting, value, choosing, reporting, ...}]}`."""
    changes = swept.end.differences(swept.start) if swept.is_worth_it else []
    trials = [
        {
            "setting": trial.key,
            "value": trial.value,
            "taken": trial.is_taken,
            "choosing": _plain(chosen),
            "reporting": _plain(reported),
            "figures": dict(zip(OBJECTIVE, _means(trial.measured, swept.reporting), strict=True)),
            "passages": trial.measured.passages,
            "milliseconds": round(trial.measured.milliseconds, 2),
        }
        for trial in swept.trials
        for chosen, reported in [gains(swept, trial)]
    ]
    before = dict(zip(OBJECTIVE, _means(swept.before, swept.reporting), strict=True))
    return json.dumps(
        {"recommendation": dict(changes), "gain": _plain(swept.gain), "before": before, "trials": trials}, indent=2
    )


def _row(name: str, measured: Measured, passages: int, *, width: int, gains: str) -> str:
    tokens = float(measured.tokens[:, passages - 1].mean())
    return f"{name:<{width}}   {gains} {measured.passages:>9}   {tokens:>6.0f}   {measured.milliseconds:>4.1f}"


def _evidence(swept: Swept, passages: int) -> Iterator[str]:
    """Of the setup in the end, or of the one at hand where nothing changes; over all questions."""
    measured = swept.after if swept.is_worth_it else swept.before
    yield "evidence among the first passages, which are what the reader gets (`passages`):"
    for count in _SHOWN_COUNTS:
        share = measured.evidence[:, count - 1].tolist()
        gain = Gain.of(np.array(share))
        tokens = float(measured.tokens[:, count - 1].mean())
        mark = "  the number in ken.toml" if count == passages else ""
        yield f"  {count:>2}   {gain.value:.3f} ({gain.low:.3f} – {gain.high:.3f})   {tokens:>6.0f} tokens{mark}"


def _sure(swept: Swept) -> Iterator[str]:
    asked = len(swept.halves.cases)
    if swept.halves.left_out:
        yield f"{swept.halves.left_out} more questions name no document, and were not searched for."
    if swept.trials and swept.enough > asked:
        yield (
            f"That is too few to tell a gain of 0.02 from chance: with questions like these it takes about {swept.enough}, "
            f"and there are {asked}."
        )


def _means(measured: Measured, of: Numbers) -> list[float]:
    return [round(float(value), 4) for value in measured.figures[of > 0].mean(axis=0)]


def _plain(gain: Gain) -> dict[str, float]:
    return {"value": round(gain.value, 4), "low": round(gain.low, 4), "high": round(gain.high, 4), "n": gain.n}
