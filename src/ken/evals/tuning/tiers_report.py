"""What a tuning of the tiers found, in words: a table of thresholds with the lines to beat, and the line for ken.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from ken.evals.tuning.report import KEEP
from ken.evals.tuning.sweep import Gain, Numbers
from ken.evals.tuning.tiers import THRESHOLDS, Measured, Threshold, Tuned
from ken.gateway.route_model import separation
from ken.telemetry.prices import money

_PER = 1000
"""Questions that costs are told for."""


def table(tuned: Tuned) -> str:
    """The tiers by themselves, then the thresholds: quality and cost on the half that no choice has seen."""
    light, strong = tuned.names[:2]
    head = f"{'':<28}   to {strong:<8}   quality   95 % interval    cost of {_PER:,}   choosing"
    lines = [head]
    lines += [_row(tuned, f"all {name}", tuned.tiers[name], share=float(name == strong)) for name in tuned.names]
    for threshold in told(tuned):
        name = f"threshold {threshold.at:g}"
        mark = _mark(tuned, threshold)
        measured = Measured(threshold.quality, threshold.micros)
        share = float(threshold.is_strong[tuned.reporting > 0].mean())
        lines.append(_row(tuned, name, measured, share=share) + mark)
    for name in tuned.names:
        lines += [f"{case} got no answer of {name}: {reason}" for case, reason in tuned.tiers[name].failures]
    return "\n".join([*lines, "", *_difficulty(tuned, light, strong)])


def verdict(tuned: Tuned) -> str:
    """What to do, and how sure that is."""
    choosing, reporting = int(tuned.choosing.sum()), int(tuned.reporting.sum())
    chosen = tuned.chosen
    quality, micros = tuned.gain(tuned.now)
    lines = [
        f"Chosen on {choosing} questions, reported on {reporting} others: the cheapest threshold within {tuned.within:g} of the best.",
        _beside_chance(tuned),
    ]
    if bool((chosen.is_strong == tuned.at(tuned.now).is_strong).all()):
        return "\n".join([*lines, f"{KEEP}: threshold {tuned.now:g} sends the same questions to the same tiers."])
    what = f"threshold {chosen.at:g} beside {tuned.now:g}: {_signed(quality)} quality, {_costs(micros)} a thousand"
    if not tuned.is_worth_it:
        return "\n".join([*lines, f"{KEEP}: {what}; that is neither surely better nor surely cheaper."])
    return "\n".join([*lines, f"Change this: {what}. In ken.toml:", "", "[routes]", f"threshold = {chosen.at:g}"])


def _beside_chance(tuned: Tuned) -> str:
    light, strong = tuned.names[:2]
    goes = tuned.chosen.is_strong
    if not bool(goes.any()):
        return f"{strong} is asked nothing: it answers too few questions better than {light} to be worth its price."
    if bool(goes.all()):
        return f"{strong} is asked everything: {light} is not good enough for any kind of question."
    lottery = tuned.over_lottery
    sure = (
        "."
        if lottery.low > 0
        else ", which may be chance: the difficulty tells too little here. Give more questions, or --train."
    )
    return f"Beside a lottery at the same cost, threshold {tuned.chosen.at:g} gives {_signed(lottery)} quality{sure}"


def told(tuned: Tuned) -> Iterator[Threshold]:
    """The thresholds that differ from the one before in what they send where; the chosen one and that of ken.toml in any case."""
    before: Numbers | None = None
    for at in sorted({*THRESHOLDS, tuned.now, tuned.chosen.at}):
        each = tuned.at(at)
        if at in {tuned.now, tuned.chosen.at} or before is None or bool((each.is_strong != before).any()):
            yield each
        before = each.is_strong


def to_json(tuned: Tuned) -> str:
    """`{"threshold": ..., "recommended": ..., "tiers": {...}, "thresholds": [...], "gain": {...}}`; costs in millionths a question."""
    quality, micros = tuned.gain(tuned.now)
    of = tuned.reporting > 0
    return (
        json.dumps(
            {
                "now": tuned.now,
                "threshold": tuned.chosen.at,
                "recommended": tuned.is_worth_it,
                "difficulty": tuned.origin,
                "separation": _rounded(separation(tuned.difficulty.tolist(), tuned.hard.tolist())),
                "gain": {
                    "quality": _plain(quality),
                    "micros": _plain(micros),
                    "over_lottery": _plain(tuned.over_lottery),
                },
                "tiers": {
                    name: {"quality": _plain(Gain.of(one.quality[of])), "micros": _plain(Gain.of(one.micros[of]))}
                    for name, one in tuned.tiers.items()
                },
                "thresholds": [
                    {
                        "at": each.at,
                        "strong": _rounded(float(each.is_strong[of].mean())),
                        "quality": _plain(Gain.of(each.quality[of])),
                        "micros": _plain(Gain.of(each.micros[of])),
                    }
                    for each in told(tuned)
                ],
            },
            indent=2,
        )
        + "\n"
    )


def _row(tuned: Tuned, name: str, measured: Measured, *, share: float) -> str:
    seen, unseen = tuned.choosing > 0, tuned.reporting > 0
    quality = Gain.of(measured.quality[unseen])
    cost = money(round(_PER * float(measured.micros[unseen].mean())))
    cells = f"{share:>11.0%}   {quality.value:>7.3f}   {quality.low:.3f} – {quality.high:.3f}    {cost:>13}"
    return f"{name:<28}   {cells}   {float(measured.quality[seen].mean()):>8.3f}"


def _mark(tuned: Tuned, threshold: Threshold) -> str:
    notes = ["ken.toml"] if threshold.at == tuned.now else []
    notes += ["chosen"] if threshold.at == tuned.chosen.at else []
    return f"  {', '.join(notes)}" if notes else ""


def _difficulty(tuned: Tuned, light: str, strong: str) -> Iterator[str]:
    hard = tuned.hard
    area = separation(tuned.difficulty.tolist(), hard.tolist())
    yield f"{strong} answers {int(hard.sum())} of {len(hard)} questions better than {light}."
    if area is not None:
        yield f"The difficulty ({tuned.origin}) puts such a question above another one {area:.0%} of the time; 50 % is chance."


def _signed(gain: Gain) -> str:
    return f"{gain.value:+.3f} ({gain.low:+.3f} – {gain.high:+.3f})"


def _costs(gain: Gain) -> str:
    value, low, high = (money(round(_PER * abs(each))) for each in (gain.value, gain.low, gain.high))
    signs = ["-" if each < 0 else "+" for each in (gain.value, gain.low, gain.high)]
    return f"{signs[0]}{value} ({signs[1]}{low} – {signs[2]}{high})"


def _plain(gain: Gain) -> dict[str, float]:
    return {"value": round(gain.value, 4), "low": round(gain.low, 4), "high": round(gain.high, 4), "n": gain.n}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(np.round(value, 4))
