"""Sentences of an answer that arrives in pieces: where one ends, as soon as that can be told."""

from __future__ import annotations

import re

# A border needs what follows it: "No." before a number, "etc." before a small letter and a marker before its sentence end nothing.
_BORDER = re.compile(r"(?<=[.!?])[\"')”’*_]*(?:\s*\[\d[\d, ]*\])*(?=\s+([^\s\[]))|\n+(?=\S)")
_CLUE = re.compile(r"[.!?\n][\"')”’*_\s]*(?:\[[\d, ]*\]?\s*)*\Z")
"""What may become a border with what comes next."""
_NEVER_LAST = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|dr|mr|ms|mrs|prof|st|fig|cf|al|u\.s|[A-Za-z])|(?:^|\n)[\s>*_]*\d{1,3})\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBERS = re.compile(r"\b(?:no|nos|sec|ch|vol|pp?|art|ext|max|min)\.$", re.IGNORECASE)
_SELDOM_LAST = re.compile(r"\b(?:etc|inc|ltd|co|a\.m|p\.m)\.$", re.IGNORECASE)
_FENCE = "```"
_CONTEXT = 12
"""Characters before a full stop that tell whether it ends an abbreviation."""
_LONGEST = 10_000
"""No sentence: what is as long as this without a border is let go, at white space where there is some."""


class SentenceStream:
    """Takes a text in pieces and gives it back in whole sentences. What it gave, put together, is what it took."""

    def __init__(self) -> None:
        self._held = ""
        self._looked_at = 0
        """No border begins before this place of what is held."""
        self._in_fence = False
        """What is held begins inside of a block of code, as that was too long to be held whole."""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; return the sentences that it completes. White space stands before the sentence that follows it."""
        self._held += piece
        sentences: list[str] = []
        while (end := self._border()) is not None:
            sentences.append(self._held[:end])
            self._held, self._looked_at = self._held[end:], 0
        return sentences

    def rest(self) -> str:
        """What is held back, as the text is complete here."""
        rest, self._held, self._looked_at, self._in_fence = self._held, "", 0, False
        return rest

    def _border(self) -> int | None:
        """Where the first sentence ends; None while that can't be told."""
        for match in _BORDER.finditer(self._held, self._looked_at):
            start = match.start()
            ends_line = "\n" in match.group()
            if not ends_line and _is_abbreviation(self._held[max(0, start - _CONTEXT) : start], match[1]):
                continue
            before = self._held[:start]
            if not before.strip() or (before.count(_FENCE) + self._in_fence) % 2:
                continue
            if ends_line:
                return self._let_go(start)
            in_code = before.replace(_FENCE, "").rpartition("\n")[2].count("`") % 2
            if not in_code:
                return self._let_go(match.end())
        if len(self._held) > _LONGEST:
            space = self._held.rfind(" ", _LONGEST // 2, _LONGEST)
            end = _LONGEST if space < 0 else space
            self._in_fence = bool((self._held.count(_FENCE, 0, end) + self._in_fence) % 2)
            return end
        clue = _CLUE.search(self._held, self._looked_at)
        self._looked_at = len(self._held) if clue is None else clue.start()
        return None

    def _let_go(self, end: int) -> int:
        self._in_fence = False
        return end


def _is_abbreviation(before: str, follows: str) -> bool:
    """Whether the full stop that `before` ends with ends no sentence, as `follows` begins what comes next."""
    if _NEVER_LAST.search(before):
        return True
    if _BEFORE_NUMBERS.search(before):
        return follows.isdigit()
    return _SELDOM_LAST.search(before) is not None and not follows.isupper()
