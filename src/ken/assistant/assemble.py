"""Assemble: the prompt within the model's window; what the passages disagree on, and what in them is no answer."""

from __future__ import annotations

from ken.assistant.quotable import quotable
from ken.assistant.turn import Turn
from ken.checks.disputed import disputed
from ken.models.protocols import TokenCounter
from ken.prompts.grounded import Situation
from ken.prompts.grounded import assemble as assemble_prompt


def assemble(turn: Turn, *, tokens: TokenCounter, prompt_tokens: int) -> str:
    """Read `text`, `result`, `history` and `standings`; set `prompt` and `disagreements`. Raises TooLarge.

    A sentence of a passage that is addressed to the assistant is in the prompt, where it stands, and nowhere else: it is
    taken from the sentences that may be quoted and that may support an answer.
    """
    found = turn.result.evidence if turn.result is not None else ()
    evidence = tuple(quotable(item) for item in found)
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
