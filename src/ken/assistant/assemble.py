"""Assemble: the prompt within the model's window; what the passages disagree on, and what in them is no answer."""

from __future__ import annotations

from ken.assistant.quotable import quotable
from ken.assistant.turn import Turn
from ken.checks.disputed import disputed
from ken.models.protocols import TokenCounter
from ken.prompts.grounded import Conversation, Situation
from ken.prompts.grounded import assemble as assemble_prompt
from ken.prompts.plan import Window


def assemble(turn: Turn, *, tokens: TokenCounter, window: Window, share: float = 1.0) -> str:
    """Read `text`, `result`, `history`, `earlier` and `standings`; set `prompt` and `disagreements`. Raises TooLarge.

    With a `share` below 1, the prompt holds about so much of the passages' text.

    A sentence of a passage that is addressed to the assistant is in the prompt, where it stands, and nowhere else: it is
    taken from the sentences that may be quoted and that may support an answer.
    """
    found = turn.result.evidence if turn.result is not None else ()
    evidence = tuple(quotable(item) for item in found)
    marked = frozenset(item.passage.id for item, before in zip(evidence, found, strict=True) if item is not before)
    turn.disagreements = disputed(turn.standalone, evidence, standings=turn.standings)
    situation = Situation(standings=turn.standings, disagreements=turn.disagreements, instructing=marked)
    turn.prompt = assemble_prompt(
        turn.text,
        evidence,
        conversation=Conversation(turn.history, turn.earlier),
        situation=situation,
        tokens=tokens,
        window=window,
        share=share,
    )
    prompt = turn.prompt
    noted = [f"{len(turn.disagreements)} disagreements"] if turn.disagreements else []
    noted += [f"{len(marked)} with orders to the assistant"] if marked else []
    return ", ".join(
        (
            f"{len(prompt.evidence)} passages",
            f"{prompt.evidence_tokens} tokens",
            f"history {prompt.history_tokens}",
            *([f"what came before in {prompt.earlier_tokens}"] if prompt.earlier_tokens else []),
            f"instructions {prompt.plan.system}",
            *([f"{prompt.left_out} passages left out"] if prompt.left_out else []),
            *noted,
        )
    )
