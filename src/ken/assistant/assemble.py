"""Assemble: the prompt within the model's window."""

from __future__ import annotations

from ken.assistant.turn import Turn
from ken.models.protocols import TokenCounter
from ken.prompts.grounded import assemble as assemble_prompt


def assemble(turn: Turn, *, tokens: TokenCounter, prompt_tokens: int) -> str:
    """Read `text`, `result` and `history`; set `prompt`. Raises TooLarge where no passage fits."""
    evidence = turn.result.evidence if turn.result is not None else ()
    turn.prompt = assemble_prompt(turn.text, evidence, history=turn.history, tokens=tokens, prompt_tokens=prompt_tokens)
    prompt = turn.prompt
    return (
        f"{len(prompt.evidence)} passages, {prompt.evidence_tokens} tokens, "
        f"history {prompt.history_tokens}, instructions {prompt.instruction_tokens}"
    )
