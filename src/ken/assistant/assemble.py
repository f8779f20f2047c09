"""Assemble: the prompt within the model's window; what the passages disagree on, and what in them is no answer."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ken.assistant.turn import Turn
from ken.checks.disputed import disputed
from ken.domain.document import Evidence
from ken.guard.passage import instructions_in
from ken.models.protocols import TokenCounter
from ken.prompts.grounded import Situation
from ken.prompts.grounded import assemble as assemble_prompt


def assemble(turn: Turn, *, tokens: TokenCounter, prompt_tokens: int) -> str:
    """Read `text`, `result`, `history` and `standings`; set `prompt` and `disagreements`. Raises TooLarge.

    A sentence of a passage that is addressed to the assistant is in the prompt, where it stands, and nowhere else: it is
    taken from the sentences that may be quoted and that may support an answer.
    """
    found = turn.result.evidence if turn.result is not None else ()
    evidence = tuple(_quotable(item) for item in found)
    marked = frozenset(item.passage.id for item, before in zip(evidence, found, strict=True) if item is not before)
    turn.disagreements = disputed(turn.standalone, evidence, standings=turn.standings)
    situation = Situation(standings=turn.standings, disagreements=turn.disagreements, instructing=marked)
    turn.prompt = assemble_prompt(
        turn.text, evidence, history=turn.history, situation=situation, tokens=tokens, prompt_tokens=prompt_tokens
    )
    prompt = turn.prompt
    noted = [f"{len(turn.disagreements)} disagreements"] if turn.disagreements else []
    noted += [f"{len(marked)} with orders to the assistant"] if marked else []
    return ", ".join(
        (
            f"{len(prompt.evidence)} passages",
            f"{prompt.evidence_tokens} tokens",
            f"history {prompt.history_tokens}",
            f"instructions {prompt.instruction_tokens}",
            *noted,
        )
    )


def _quotable(item: Evidence) -> Evidence:
    """The passage without the sentences that are addressed to the assistant; itself where there are none."""
    orders = _orders(item.passage.text)
    if not orders:
        return item
    offset = item.passage.start
    kept = tuple(
        sentence
        for sentence in item.sentences
        if not any(sentence.start - offset < end and start < sentence.end - offset for start, end in orders)
    )
    return replace(item, sentences=kept)


@lru_cache(maxsize=4_096)
def _orders(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((each.start, each.end) for each in instructions_in(text))
