"""The extractive reader: answers by quoting. It picks the sentences that answer, and never adds a word of its own facts.

It needs no download, no key and no network, and it can't invent: what it says stands in a passage, in these words. It
abstains where the search is not confident that the passages hold the answer.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

from ken.domain.document import Evidence, Sentence
from ken.domain.standing import CURRENT, State
from ken.domain.usage import Usage
from ken.errors import Unsupported
from ken.models.capabilities import NOTHING, Capabilities
from ken.models.chat import ChatDelta, ChatRequest
from ken.text.answer_types import AnswerType, expected
from ken.text.labels import as_sentence, conflict_text, standing_label
from ken.text.tokens import STOP_WORDS, stem, words

ABSTAIN_BELOW = 0.4
"""Where `answerable` is lower, the reader abstains. Fitted with the rest of the calibration: bench/calibrate.py."""

# Fitted by bench/calibrate.py on sentences that hold the evidence of a question, against those beside them.
_WEIGHTS = (10.4, 2.7, 0.7, 3.2, -5.3, -1.0, 3.0, -3.1, -2.0)

_LIST_MARK = re.compile(r"[ \t>]*(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE)
_NUMBERED = re.compile(r"[ \t>]*\d{1,3}[.)][ \t]+")
_CONTINUES = re.compile(
    r"^(?:this|that|these|those|it|they|otherwise|however|if not|then|also|in that case|after that|you|but)\b",
    re.IGNORECASE,
)

_ASKS_WHICH_PAGE = re.compile(
    r"\b(?:which|what) (?:\w+ )?(?:alert|runbook|page|guide|document|policy|form|section)\b", re.IGNORECASE
)

_MAX_SENTENCES = 3
_MAX_WORDS = 90
_NEAR_BEST = 1.6
"""A further sentence is quoted when its score lies this close to the best one's."""
_OF_OTHER_TIME = 2
"""Sentences quoted of what held before, or will hold, beside what is asked for."""
_OTHER_BEHIND = 4.0
"""They are quoted when the best of them lies this close to the best sentence of all."""
_MAX_STEPS = 12
_LIST_BEHIND = 2.5
"""A list is quoted when its best point lies this close to the best sentence of all."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be quoted."""

    evidence: int
    position: int
    """Among its passage's sentences."""
    sentence: Sentence
    inputs: tuple[float, ...]
    """What the score is made of."""
    score: float


class ExtractiveReader:
    """A ChatModel that quotes. It reads the request's question and evidence, and no prompt."""

    capabilities: Capabilities = NOTHING

    @property
    def name(self) -> str:
        """Always `extractive`."""
        return "extractive"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer one quoted sentence at a time, each with its citation; or nothing, as an abstention.

        Behind what another model has begun, only what that has not quoted already. Raises Unsupported.
        """
        self.capabilities.check(request, self.name)
        if not request.holds_sentences:
            raise Unsupported(
                f"The model {self.name!r} quotes documents, which the plain gateway has none of. Ask 'ken', or name another model.",
                param="model",
            )
        if request.answerable < ABSTAIN_BELOW:
            yield ChatDelta(finish_reason="abstain", usage=Usage(), confidence=request.answerable)
            return
        for piece in _compose(request):
            if not request.begun or piece.strip() not in request.begun:
                yield ChatDelta(piece)
        yield ChatDelta(finish_reason="stop", usage=Usage(), confidence=request.answerable)


def _compose(request: ChatRequest) -> Iterator[str]:
    ranked = sorted(score_sentences(request.question, request.evidence), key=lambda found: -found.score)
    ranked = _in_force(request, ranked)
    if not ranked:
        return
    chosen = _chosen(request, ranked)
    disputed = _disputed(request, chosen, ranked)
    if disputed:
        sides = [(request.evidence[side.evidence].document, side.sentence.text, side.evidence + 1) for side in disputed]
        yield conflict_text(sides)
        chosen = [found for found in chosen if _key(request, found) not in {_key(request, side) for side in disputed}]
    elif _ASKS_WHICH_PAGE.search(request.question):
        yield f"“{request.evidence[chosen[0].evidence].document.title}”:\n"
    yield from _quoted(request, chosen, is_first=not disputed)


def _quoted(request: ChatRequest, chosen: list[Candidate], *, is_first: bool) -> Iterator[str]:
    """The chosen sentences one by one, with their citations, up to the greatest length that is wanted."""
    budget = request.max_tokens
    previous: Candidate | None = None
    point = 0
    for found, in_list, label in zip(chosen, _listed(request, chosen), _labels(request, chosen), strict=True):
        text = _as_sentence(found.sentence)
        if budget is not None:
            budget -= len(text.split()) * 4 // 3 + 4
            if budget < 0 and (previous is not None or not is_first):
                return
        separator, point = _separator(request, previous, found, point) if in_list else _apart(previous, point)
        if label is not None:
            apart = "" if previous is None else "\n\n"
            told = label and f"{label}\n" if in_list else label and f"{label} "
            separator = f"{apart}{told}{separator.lstrip()}"
        if previous is None and not is_first:
            separator = f"\n\n{separator.lstrip()}"
        yield f"{separator}{text} [{found.evidence + 1}]"
        previous = found


def _chosen(request: ChatRequest, ranked: list[Candidate]) -> list[Candidate]:
    """What is quoted: of what holds at the time asked about, then what held or will hold instead."""
    first, second = _by_time(request, ranked)
    steps = _steps(request, first) if request.task in {"procedure", "troubleshooting"} else []
    chosen = steps or _sentences(request, first)
    return [*chosen, *(_sentences(request, second)[:_OF_OTHER_TIME] if second else [])]


def _by_time(request: ChatRequest, ranked: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The sentences that the answer is made of, and those near enough to them that are the rule at another time."""

    def state(found: Candidate) -> State:
        return request.standings.get(request.evidence[found.evidence].document.id, CURRENT).state

    period = request.period
    if period is not None and period.is_past:
        first, second = [one for one in ranked if state(one) == "superseded"], _successors(request, ranked)
        if not first or first[0].score < ranked[0].score - _LIST_BEHIND:
            return [one for one in ranked if state(one) != "future"] or ranked, []
    else:
        first, second = (
            [one for one in ranked if state(one) != "future"],
            [one for one in ranked if state(one) == "future"],
        )
        if second and (
            not first or (first[0].score < second[0].score - _NEAR_BEST and not _has_replaced(request, second[0]))
        ):
            return second, []
    if period is not None and not period.is_past:
        return ranked, []
    near = bool(second) and second[0].score >= first[0].score - _OTHER_BEHIND
    return first, second if near else []


def _successors(request: ChatRequest, ranked: list[Candidate]) -> list[Candidate]:
    """The sentences of the documents that have taken the place of others."""
    names = {one.successor.id for one in request.standings.values() if one.successor is not None}
    return [found for found in ranked if request.evidence[found.evidence].document.id in names]


def _has_replaced(request: ChatRequest, coming: Candidate) -> bool:
    """Whether what a future document will replace was found, too."""
    name = request.evidence[coming.evidence].document.id
    return any(item.document.superseded_by == name for item in request.evidence)


def _labels(request: ChatRequest, chosen: Sequence[Candidate]) -> list[str | None]:
    """What stands before each sentence: since when or from when it holds, where that isn't now; None where a run goes on."""
    documents = [request.evidence[found.evidence].document for found in chosen]
    found = [request.standings.get(document.id, CURRENT) for document in documents]
    is_mixed = any(one.state == "superseded" for one in found)
    labels: list[str | None] = []
    for at, (document, one) in enumerate(zip(documents, found, strict=True)):
        goes_on = at > 0 and documents[at - 1].id == document.id
        is_told = one.state != "current" or (is_mixed and document.effective is not None)
        was_told = at > 0 and (found[at - 1].state != "current" or is_mixed)
        if goes_on or not (is_told or was_told):
            labels.append(None)
        else:
            labels.append(f"{standing_label(one, document)}:" if is_told else "")
    return labels


def _disputed(request: ChatRequest, chosen: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """The statements of a conflict that one of the chosen sentences is part of, all that belong together."""
    by_place = {_key(request, found): found for found in ranked}
    sides: dict[tuple[str, int, int], Candidate] = {}
    touched = {_key(request, found) for found in chosen}
    for each in request.disagreements:
        keys = [(side.document_id, side.start, side.end) for side in (each.first, each.second)]
        if not touched.isdisjoint(keys) and all(key in by_place for key in keys):
            sides |= {key: by_place[key] for key in keys}
            touched = set(sides)
    return list(sides.values())


def _key(request: ChatRequest, found: Candidate) -> tuple[str, int, int]:
    return request.evidence[found.evidence].document.id, found.sentence.start, found.sentence.end


def _in_force(request: ChatRequest, ranked: list[Candidate]) -> list[Candidate]:
    """Without the sentences of documents whose successor was found too, or that are not the best: it knows better.

    Where the question asks for the past, they may all be used.
    """
    if request.period is not None and request.period.is_past:
        return ranked
    found = {item.document.id for item in request.evidence}
    best = request.evidence[ranked[0].evidence].document if ranked else None

    def is_in_force(candidate: Candidate) -> bool:
        document = request.evidence[candidate.evidence].document
        if request.standings:
            # Where the successor speaks of the same, the search has left the old one out.
            return request.standings.get(document.id, CURRENT).state != "superseded" or document == best
        return document.superseded_by is None or (document == best and document.superseded_by not in found)

    return [candidate for candidate in ranked if is_in_force(candidate)]


def score_sentences(question: str, evidence: Sequence[Evidence]) -> list[Candidate]:
    """Every sentence of the evidence with how likely it is to answer; scores compare within one question only."""
    kind = expected(question)
    asked = frozenset(stem(word) for word in words(question.lower()) if word not in STOP_WORDS)
    best = log_odds(evidence[0].relevance) if evidence else 0.0
    found: list[Candidate] = []
    for index, item in enumerate(evidence):
        behind = log_odds(item.relevance) - best
        for position, (sentence, under) in enumerate(zip(item.sentences, _under(asked, item), strict=True)):
            inputs = _inputs(sentence, kind=kind, behind=behind, under=under)
            score = sum(map(mul, _WEIGHTS, inputs))
            found.append(Candidate(index, position, sentence, inputs, score))
    return found


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


def _inputs(sentence: Sentence, *, kind: AnswerType | None, behind: float, under: float) -> tuple[float, ...]:
    """What tells a sentence that answers from one beside it.

    `kind`: what the question asks for. `behind`: log-odds of its passage's relevance less those of the best passage.
    `under`: share of the question's words in the headings above it.
    """
    return (
        sentence.similarity,
        sentence.coverage,
        behind,
        float(kind is not None and kind.is_in(sentence.text)),
        float(sentence.text.endswith("?")),
        float(len(sentence.text.split()) < 4),  # noqa: PLR2004 - a fragment
        under,
        float(sentence.text.endswith(":")),
        float(sentence.is_code),
    )


def _sentences(request: ChatRequest, ranked: Sequence[Candidate]) -> list[Candidate]:
    """The best few sentences, in the order of the passages; with what a lead-in leads to, without repeats."""
    best = ranked[0]
    chosen: list[Candidate] = []
    seen: set[str] = set()
    spent = 0
    for found in ranked:
        if len(chosen) >= _MAX_SENTENCES or found.score < best.score - _NEAR_BEST:
            break
        for part in _with_rest(request, found, ranked):
            size = len(part.sentence.text.split())
            key = " ".join(words(part.sentence.text.lower()))
            if key not in seen and (not chosen or spent + size <= _MAX_WORDS):
                seen.add(key)
                chosen.append(part)
                spent += size
    return sorted(chosen, key=lambda found: (found.evidence, found.position))


def _with_rest(request: ChatRequest, found: Candidate, ranked: Sequence[Candidate]) -> list[Candidate]:
    """A sentence, and the next where it only makes sense with it: a lead-in with its points, a "This ..." with its before."""
    siblings = sorted((other for other in ranked if other.evidence == found.evidence), key=lambda other: other.position)
    if found.sentence.text.endswith(":"):
        item = request.evidence[found.evidence]
        points = _run(item, siblings, found.position + 1)
        return [found, *(points or siblings[found.position + 1 : found.position + 2])]
    if _CONTINUES.match(found.sentence.text) and found.position > 0:
        return [siblings[found.position - 1], found]
    return [found]


def _steps(request: ChatRequest, ranked: Sequence[Candidate]) -> list[Candidate]:
    """The list that answers, whole and in order, with its lead-in; empty where no list comes near the best sentence.

    A list is as good as the best of its points, its lead-in included: the sentence nearest to a question of how to do
    something is as often the one before the steps as one of them.
    """
    found: list[tuple[float, list[Candidate]]] = []
    for index, item in enumerate(request.evidence):
        siblings = sorted((other for other in ranked if other.evidence == index), key=lambda other: other.position)
        start = 0
        while start < len(siblings):
            points = _run(item, siblings, start)
            if sum(_in_list(item, point.sentence) for point in points) > 1:
                lead_in = siblings[start - 1 : start] if start and _leads(item, siblings[start - 1], points[0]) else []
                score = max(point.score for point in [*lead_in, *points])
                shown = lead_in if lead_in and lead_in[0].sentence.text.endswith(":") else []
                found.append((score, [*shown, *points]))
            start += max(1, len(points))
    best = max(found, key=lambda one: one[0], default=None)
    return best[1] if best is not None and best[0] >= ranked[0].score - _LIST_BEHIND else []


def _run(item: Evidence, siblings: Sequence[Candidate], start: int) -> list[Candidate]:
    """The points of the list that begins at `start`, with the code between them, up to the next heading."""
    run: list[Candidate] = []
    points = 0
    for found in siblings[start:]:
        in_list = _in_list(item, found.sentence)
        points += in_list
        between = _between(item, run[-1].sentence, found.sentence) if run else ""
        goes_on = bool(run) and (found.sentence.is_code or "\n\n" not in between)
        if _HEADING.search(between) or points > _MAX_STEPS or not (in_list or goes_on):
            break
        run.append(found)
    return run


def _leads(item: Evidence, before: Candidate, first: Candidate) -> bool:
    return not before.sentence.is_code and not _HEADING.search(_between(item, before.sentence, first.sentence))


def _between(item: Evidence, first: Sentence, second: Sentence) -> str:
    offset = item.passage.start
    return item.passage.text[max(0, first.end - offset) : max(0, second.start - offset)]


def _under(asked: frozenset[str], item: Evidence) -> list[float]:
    """For each sentence of a passage, the share of the question's stems in the title and the headings above it.

    The headings in force are those of the passage up to the first heading inside it, and then the nearest one before.
    """
    text, offset = item.passage.text, item.passage.start
    inside = [(match.start(), match.group(1)) for match in _HEADING.finditer(text)]
    levels = [" ".join(item.passage.heading_path), *(heading for _, heading in inside)]
    title = _stems(item.document.title.lower())
    shares = [len(asked & (title | _stems(level.lower()))) / (len(asked) or 1) for level in levels]
    starts = [start for start, _ in inside]
    return [shares[bisect_left(starts, sentence.start - offset)] for sentence in item.sentences]


def _line(item: Evidence, sentence: Sentence) -> str:
    """The passage's text from the start of the sentence's line up to the end of the sentence."""
    text = item.passage.text
    at = max(0, sentence.start - item.passage.start)
    return text[text.rfind("\n", 0, at) + 1 : max(at, sentence.end - item.passage.start)]


def _in_list(item: Evidence, sentence: Sentence) -> bool:
    return _LIST_MARK.match(_line(item, sentence)) is not None


def _listed(request: ChatRequest, chosen: Sequence[Candidate]) -> list[bool]:
    """Which of the chosen sentences belong to a list of which more than one point is quoted."""
    listed = [False] * len(chosen)
    start = 0
    while start < len(chosen):
        item = request.evidence[chosen[start].evidence]
        same = [found for found in chosen[start:] if found.evidence == chosen[start].evidence]
        run = _run(item, same, 0)
        if sum(_in_list(item, found.sentence) for found in run) > 1:
            listed[start : start + len(run)] = [True] * len(run)
        start += max(1, len(run))
    return listed


def _apart(previous: Candidate | None, point: int) -> tuple[str, int]:
    """What stands before a sentence that is no list point."""
    if previous is None:
        return "", 0
    return ("\n\n" if point else " "), 0


def _separator(request: ChatRequest, previous: Candidate | None, found: Candidate, point: int) -> tuple[str, int]:
    """What stands before a sentence of a list: a mark on a line of its own where a point begins, a space where it goes on.

    `point` is the number of the last list point, 0 outside of a list; Markdown lets all points of a list say "1.", a
    reader wants them counted.
    """
    item = request.evidence[found.evidence]
    line = _line(item, found.sentence)
    begins = _in_list(item, found.sentence)
    if begins and previous is not None and previous.evidence == found.evidence:
        begins = not line.startswith(_line(item, previous.sentence))
    if not begins:
        return ("\n   " if found.sentence.is_code else " "), point
    mark = _NUMBERED.match(line)
    own = int(re.sub(r"\D", "", mark.group())) if mark else 0
    point = own if own > point else point + 1
    return ("\n" if previous is not None else "") + (f"{point}. " if mark else "- "), point


def _as_sentence(sentence: Sentence) -> str:
    return f"`{sentence.text.strip()}`" if sentence.is_code else as_sentence(sentence.text)


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), clipped to what a float can hold."""
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))
