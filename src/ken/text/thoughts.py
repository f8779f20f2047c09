"""What a reasoning model thinks aloud before it answers: `<think> ... </think>`. It is no answer, and isn't checked as one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENS = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_MAY_OPEN = re.compile(r"\s*(?:<[a-z]{0,9}>?)?", re.IGNORECASE)
_CLOSES = re.compile(r"</(?:think|thinking|reasoning)>\s*", re.IGNORECASE)
_LONGEST_MARK = 16


@dataclass(slots=True)
class Thoughts:
    """Takes an answer in pieces and tells what is said from the thoughts at its beginning."""

    _held: str = ""
    _is_thinking: bool = False
    _is_answering: bool = False

    def without(self, piece: str) -> str:
        """What is said with the next piece; empty while it can't be told from a thought."""
        return self.split(piece)[0]

    def split(self, piece: str) -> tuple[str, str]:
        """What is said with the next piece, and what is thought."""
        if self._is_answering:
            return piece, ""
        self._held += piece
        thought = ""
        while True:
            if self._is_thinking:
                closes = _CLOSES.search(self._held)
                if closes is None:
                    thought += self._held[:-_LONGEST_MARK]
                    self._held = self._held[-_LONGEST_MARK:]
                    return "", thought
                thought += self._held[: closes.start()]
                self._held, self._is_thinking = self._held[closes.end() :], False
            elif opens := _OPENS.match(self._held):
                self._held, self._is_thinking = self._held[opens.end() :], True
            elif _MAY_OPEN.fullmatch(self._held):
                return "", thought
            else:
                self._is_answering = True
                return self._held, thought

    def rest(self) -> str:
        """What was held back when the answer ended; a thought that never ended is none of it."""
        return "" if self._is_answering or self._is_thinking else self._held
