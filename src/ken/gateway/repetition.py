"""A model that goes on with another's answer may begin by saying again what stands there: that is taken out."""

from __future__ import annotations

from ken.text.sentence_stream import SentenceStream

_LEAST = 12
"""Characters that are no coincidence when they come again, white space left out; a shorter sentence counts with its neighbour."""


class Repetition:
    """Takes the continuation of `begun` in pieces and gives it back without the sentences of `begun` that it begins with.

    White space doesn't count. A sentence that the continuation repeats and completes goes on where `begun` stops.
    """

    def __init__(self, begun: str) -> None:
        stream = SentenceStream()
        whole, last = stream.feed(begun), stream.rest()
        if last.rstrip()[-1:] in tuple(".!?\"')”’*]"):
            whole.append(last)
            last = ""
        self._whole = _units([_solid(sentence) for sentence in whole])
        self._unfinished = _solid(last) if len(_solid(last)) >= _LEAST else ""
        self._ends_in_space = begun[-1:].isspace()
        self._held = ""
        self._is_over = not (self._whole or self._unfinished)
        self._has_repeated = False

    @property
    def is_over(self) -> bool:
        """Whether all that comes is new."""
        return self._is_over

    def without(self, piece: str) -> str:
        """The next piece of the continuation; empty while it may still be repeating."""
        if self._is_over:
            return piece
        self._held += piece
        while True:
            said = _solid(self._held)
            repeated = self._repeated(said)
            if any(sentence.startswith(said) for sentence in self._candidates if sentence != repeated):
                return ""  # also a longer one may be on its way
            if repeated is None:
                return self.rest()
            end = _length_of(self._held, len(repeated))
            is_unfinished = repeated == self._unfinished
            if not is_unfinished and end == len(self._held):
                return ""  # "It costs 5." may become "It costs 5.50."
            if not is_unfinished and not self._held[end].isspace():
                return self.rest()
            self._held, self._has_repeated = self._held[end:], True
            if is_unfinished:
                self._is_over = True
                rest, self._held = self._held, ""
                return rest

    def rest(self) -> str:
        """What is held back, as the continuation repeats no more, or is complete."""
        rest, self._held, self._is_over = self._held, "", True
        if _solid(rest) in self._whole:
            return ""
        return rest.lstrip() if self._has_repeated and self._ends_in_space else rest

    @property
    def _candidates(self) -> set[str]:
        return self._whole | ({self._unfinished} if self._unfinished else set())

    def _repeated(self, said: str) -> str | None:
        """The longest sentence that the continuation begins with."""
        return max((one for one in self._candidates if said.startswith(one)), key=len, default=None)


def _units(sentences: list[str]) -> set[str]:
    """The sentences, each that is too short to tell put before the next one; the last one behind the one before."""
    units: list[str] = []
    short = ""
    for sentence in sentences:
        short += sentence
        if len(short) >= _LEAST:
            units.append(short)
            short = ""
    if short and units:
        units.append(units[-1] + short)
    elif short:
        units.append(short)  # it is all there is
    return set(units)


def _solid(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


def _length_of(text: str, solid: int) -> int:
    """How much of the text holds its first so many characters that aren't white space."""
    for end, character in enumerate(text, 1):
        solid -= not character.isspace()
        if solid == 0:
            return end
    return len(text)
