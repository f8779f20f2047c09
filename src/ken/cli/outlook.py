"""What would happen to a question, drawn for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ken.telemetry.prices import money

if TYPE_CHECKING:
    from ken.assistant.explain import ModelOutlook, Outlook

_LABEL = 12
_MOST_POINTS = 8


def drawn(outlook: Outlook) -> str:
    """A label and what it says, line by line."""
    return "\n".join(f"{label:<{_LABEL}}{text}" for label, text in _lines(outlook))


def _lines(outlook: Outlook) -> Iterator[tuple[str, str]]:
    stages = outlook.stages
    yield "question", outlook.question
    if outlook.standalone != outlook.question:
        yield "", f"understood as: {outlook.standalone}"
    yield "asked by", outlook.principal
    yield "task type", " · ".join(each for each in (outlook.task_type, outlook.category) if each)
    yield "budget", outlook.budget.notice or "none that binds is short"
    for stage, label in (("recall", "cache"), ("retrieve", "search"), ("assemble", "prompt")):
        if stage in stages:
            yield label, stages[stage]
    if outlook.plan is not None:
        parts = outlook.plan.told()
        window = parts.pop("window")
        shares = ", ".join(f"{name} {tokens:,}" for name, tokens in parts.items() if tokens)
        yield "", f"{outlook.prompt_tokens:,} tokens; the window's {window:,} are planned as {shares}"
    if outlook.outcome:
        yield "ends", f"as {outlook.outcome}, without a model" + (f": {outlook.reply}" if outlook.reply else "")
        return
    yield from _route(outlook)
    for number, model in enumerate(outlook.models, start=1):
        yield ("models" if number == 1 else ""), f"{number}. {_model(model)}"
    length = "as the model lets it" if outlook.max_tokens is None else f"{outlook.max_tokens:,} tokens"
    yield "answer", f"at most {length}, or a model's own `max_tokens`; all within {outlook.deadline_s:g} s"
    for notice in outlook.notices:
        yield "notice", notice


def _route(outlook: Outlook) -> Iterator[tuple[str, str]]:
    difficulty, decision = outlook.difficulty, outlook.decision
    if difficulty is not None:
        yield "difficulty", f"{difficulty.value:.2f} by {difficulty.origin}: {difficulty.reason}"
        for each in difficulty.contributions[:_MOST_POINTS]:
            yield "", f"{each.points:+.2f}  {each.words} ({each.feature} {each.value:g})"
    if decision is None:
        yield "route", outlook.stages.get("route", "")
        return
    yield "route", f"{decision.tier}: {decision.reason}"
    for each in decision.passed_over:
        yield "", f"not {each.tier}: {each.reason}"


def _model(model: ModelOutlook) -> str:
    least, most = money(model.least_micros), money(model.most_micros)
    cost = least if least == most else f"{least} – {most}"
    # Breakers are the server's: this process has its own, which nothing has opened.
    breaker = f", breaker {model.breaker}" if model.breaker not in {"", "closed"} else ""
    waits = ", ".join(f"{name.replace('_', ' ')} {seconds:g} s" for name, seconds in model.patience_s.items())
    return f"{model.name}{breaker}, window {model.window:,}, cost {cost}" + (f"; waited for: {waits}" if waits else "")
