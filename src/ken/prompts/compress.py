"""Prompt compression: of the passages, the sentences that bear on the question; nothing is reworded.

Extractive, sentence by sentence, as in the coarse stage of LLMLingua (Jiang et al. 2023, section 3), with the search's own
scores in the place of a language model's.
"""

from __future__ import annotations

from collections.abc import Sequence

from ken.domain.document import Evidence, Sentence

GAP = "[…]"
"""Stands where something was left out."""
_BEST_OF_EACH = 2
"""Sentences that every passage keeps: what it was found for."""


def compressed(evidence: Sequence[Evidence], share: float) -> tuple[str, ...]:
    """The text of each passage, all together about `share` (0 to 1) of what they were; whole sentences, in their order.

    The best sentences of all passages are kept, by how much of the question they hold and how near to it they are; the
    best of each passage always, with what stands before it, which it may refer to.
    """
    texts = [item.passage.shown for item in evidence]
    if share >= 1:
        return tuple(texts)
    room = share * sum(len(text) for text in texts)
    kept: list[set[int]] = [_needed(item.sentences) for item in evidence]
    room -= sum(_length(item.sentences[at]) for item, chosen in zip(evidence, kept, strict=True) for at in chosen)
    rest = sorted(
        (
            (_worth(sentence), number, at)
            for number, item in enumerate(evidence)
            for at, sentence in enumerate(item.sentences)
            if at not in kept[number]
        ),
        reverse=True,
    )
    for _, number, at in rest:
        cost = _length(evidence[number].sentences[at])
        if cost <= room:
            room -= cost
            kept[number].add(at)
    return tuple(_joined(item, chosen) for item, chosen in zip(evidence, kept, strict=True))


def _worth(sentence: Sentence) -> float:
    return sentence.coverage + max(0.0, sentence.similarity)


def _length(sentence: Sentence) -> int:
    return sentence.end - sentence.start


def _needed(sentences: Sequence[Sentence]) -> set[int]:
    best = sorted(range(len(sentences)), key=lambda at: -_worth(sentences[at]))[:_BEST_OF_EACH]
    return {place for at in best for place in (at, at - 1) if place >= 0}


def _joined(item: Evidence, chosen: set[int]) -> str:
    """What was chosen with the marks around it, and a gap for what was not."""
    sentences, passage = item.sentences, item.passage
    if len(chosen) >= len(sentences):
        return passage.shown
    pieces: list[str] = [passage.header] if passage.header else []
    last = -1
    for at in sorted(chosen):
        first, until = sentences[at].start - passage.start, sentences[at].end - passage.start
        if at != last + 1:
            pieces.append(GAP)
        pieces.append(passage.text[max(0, first) : until])
        last = at
    if last != len(sentences) - 1:
        pieces.append(GAP)
    return "\n".join(pieces)
