"""Asking back: where the documents answer a question in several ways, and the question doesn't say which, Ken asks.

Two shapes of that are known. Sections of the same heading in sibling documents (offices, products, tools), or under
sibling headings of one document (roles, environments), are readings of a question that is about that heading; and so are
the long forms of an acronym in what was found. It is rare on purpose: nobody is asked who has named one, or where one
reading leads, or where all say the same.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ken.domain.answer import Choice, Message
from ken.domain.document import Evidence, SearchResult, Sentence
from ken.domain.explained import Ambiguity
from ken.domain.standing import Standing
from ken.text.headings import headings_at
from ken.text.tokens import terms

WIDE = 10
"""Passages that are looked at for readings."""
OPENING = "The documents answer this in more than one way. Which one do you mean?"
_LEAST = 0.03
"""Relevance that the first reading has at least: below, it's a matter for an abstention."""
_NEAR = 0.12
"""So much less may the cosine of another reading be, or of what a reading begins with than of the first passage."""
_LEADS = 0.35
"""By so much of the question's terms, weighted by rarity, one passage may hold more than another that is a reading, too."""
_ABOUT = 0.2
"""Share of the question's terms that what the readings have in common holds at least: the heading, or all the names."""
_ALIKE = 0.6
"""Share of their terms that two headings have in common which are the same."""
_WITHIN = 1.0
_AGREE = 0.85
"""Share of their terms that two sections have in common which say the same."""
_LEADING = 3
"""Passages that a reading may begin with."""
_LONGEST_NAME = 3
"""Words of a name that tells a kind."""
_MOST = 6
_LISTED = re.compile(r"^(\d+)\. (.+?) \(([^()]*(?:\([^()]*\)[^()]*)*)\)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True, slots=True)
class _Point:
    """Where in a passage the question is met."""

    evidence: Evidence
    path: tuple[str, ...]
    """The headings above it, outermost first; the document's title where there is none."""
    section: frozenset[str]
    """The terms of the passage's sentences under this heading."""

    def headings(self, asked: frozenset[str]) -> list[frozenset[str]]:
        """The terms of its own heading, and of those above it that the question speaks of."""
        own, *above = [frozenset(terms(name)) or frozenset((name.lower(),)) for name in reversed(self.path)]
        return [own, *(one for one in above if one & asked and one != own)]

    def is_under(self, heading: frozenset[str]) -> bool:
        return any(_is_same(frozenset(terms(name)) or frozenset((name.lower(),)), heading) for name in self.path)


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a question may mean."""

    name: str
    evidence: Evidence
    section: frozenset[str]


def readings(question: str, result: SearchResult, *, standings: dict[str, Standing]) -> tuple[Reading, ...]:
    """Two to six things that the question may mean, the nearest first; none where it means one."""
    found = [
        item for item in result.evidence[:WIDE] if item.document.id not in standings and not item.document.superseded_by
    ]
    asked = frozenset(terms(question))
    if not found or not asked or found[0].relevance < _LEAST:
        return ()
    ambiguous = result.explained.ambiguous if result.explained is not None else ()
    return _of_acronyms(ambiguous, found) or _of_sections(asked, found)


def asked_back(question: str, many: Sequence[Reading]) -> tuple[str, tuple[Choice, ...]]:
    """The question back, in words, and what there is to choose from."""
    choices = tuple(
        Choice(
            name=each.name,
            question=f"{question} ({each.name})",
            document_id=each.evidence.document.id,
            document_title=each.evidence.document.title,
            passage_id=each.evidence.passage.id,
        )
        for each in many
    )
    lines = [f"{number}. {one.name} ({one.document_id})" for number, one in enumerate(choices, start=1)]
    return "\n".join((OPENING, "", *lines)), choices


def chosen(text: str, history: Sequence[Message]) -> str | None:
    """The question that a choice stands for, where the last thing that Ken said was a question back.

    It is chosen by its number ("2", "the second one") or by words of its name ("the Berlin one").
    """
    said = [message for message in history if message.role != "system"][-2:]
    if len(said) != 2 or said[0].role != "user" or not said[1].content.startswith(OPENING):  # noqa: PLR2004
        return None
    names = [match[2] for match in _LISTED.finditer(said[1].content)]
    own = frozenset(terms(text))
    place = _place(text.lower(), len(names))
    if place is not None:
        return f"{said[0].content} ({names[place]})"
    meant = [name for name in names if own & frozenset(terms(name))]
    fitting = [name for name in meant if own <= frozenset(terms(name))] or meant
    return f"{said[0].content} ({fitting[0]})" if len(fitting) == 1 and len(own) <= 4 else None  # noqa: PLR2004


def _place(text: str, count: int) -> int | None:
    words = re.findall(r"[a-z0-9]+", text)
    numbers = [int(word) - 1 for word in words if word.isdigit()]
    numbers += [_ORDINALS.index(word) for word in words if word in _ORDINALS]
    is_short = len(words) <= 4  # noqa: PLR2004
    return numbers[0] if is_short and len(numbers) == 1 and 0 <= numbers[0] < count else None


def _of_acronyms(ambiguous: Iterable[Ambiguity], found: Sequence[Evidence]) -> tuple[Reading, ...]:
    """The long forms of an acronym that what was found speaks of, where the first passages differ in it."""
    for one in ambiguous:
        many: list[Reading] = []
        for meaning in one.meanings:
            wanted = frozenset(terms(meaning))
            held = next((item for item in found if wanted and wanted <= _written(item)), None)
            if held is not None and all(held is not other.evidence for other in many):
                many.append(Reading(meaning, held, frozenset(terms(held.passage.text))))
        many.sort(key=lambda reading: -reading.evidence.relevance)
        near = _near(many)
        if len(near) > 1 and near[0].evidence is found[0]:
            return tuple(near[:_MOST])
    return ()


def _of_sections(asked: frozenset[str], found: Sequence[Evidence]) -> tuple[Reading, ...]:
    """Sections of one heading, in sibling documents or under sibling headings of one document."""
    points = [_points(item, asked) for item in found]
    for leading in points[:_LEADING]:
        lead = leading[0]
        if lead.evidence.dense >= found[0].dense - _NEAR:
            for heading in lead.headings(asked):
                same = [next((point for point in each if point.is_under(heading)), None) for each in points]
                many = _told_apart([point for point in same if point is not None], lead, heading, asked=asked)
                if many:
                    return many
    return _of_names([each[0] for each in points], asked)


def _of_names(points: Sequence[_Point], asked: frozenset[str]) -> tuple[Reading, ...]:
    """Documents side by side, or headings of one, that are kinds of what was asked about: customer and internal liaison."""
    lead = points[0]
    for name in (lead.evidence.document.title, *reversed(lead.path)):
        kind = terms(name)[-1:]
        if len(frozenset(terms(name))) < 2 or not asked.issuperset(kind):  # noqa: PLR2004
            continue
        many: dict[frozenset[str], Reading] = {}
        for point in points:
            if _are_siblings(lead.evidence.document.id, point.evidence.document.id):
                for other in (point.evidence.document.title, *reversed(point.path)):
                    if terms(other)[-1:] == kind and 2 <= len(terms(other)) <= _LONGEST_NAME:  # noqa: PLR2004
                        many.setdefault(frozenset(terms(other)), Reading(other, point.evidence, point.section))
                        break
        told = _unnamed(list(many.values()), asked)
        near = _near(told)
        if len(near) > 1 and len(asked.intersection(kind)) >= _ABOUT * len(asked) and not _agree(near):
            return tuple(near[:_MOST])
    return ()


def _told_apart(
    points: Sequence[_Point], lead: _Point, heading: frozenset[str], *, asked: frozenset[str]
) -> tuple[Reading, ...]:
    many = _unnamed(_by_document(points, lead), asked) or _unnamed(_by_heading(points, lead, heading), asked)
    if len(many) < 2:  # noqa: PLR2004
        return ()
    shared = frozenset[str].intersection(*(frozenset(terms(one.name)) for one in many))
    if len(asked & (shared | heading)) < _ABOUT * len(asked):
        return ()
    near = _near(many)
    return tuple(near[:_MOST]) if len(near) > 1 and not _agree(near) else ()


def _points(item: Evidence, asked: frozenset[str]) -> list[_Point]:
    """The sections of a passage, the one that is nearest to the question first."""
    passage = item.passage
    sections: dict[tuple[str, ...], list[Sentence]] = {}
    places = [0, *(match.start() for match in _HEADING.finditer(passage.text)), len(passage.text) + 1]
    for start, end in pairwise(places):
        inside = [each for each in item.sentences if start <= each.start - passage.start < end]
        if inside:
            path = headings_at(passage.text, passage.heading_path, at=inside[0].start - passage.start)
            sections.setdefault(path or (item.document.title,), []).extend(inside)
    if not sections:
        return [_Point(item, (item.document.title,), frozenset(terms(passage.text)))]

    def nearness(path: tuple[str, ...]) -> float:
        headed = len(asked.intersection(terms(path[-1]))) / len(asked)
        return max(sentence.similarity + sentence.coverage for sentence in sections[path]) + headed / 2

    return [
        _Point(item, path, frozenset(terms(" ".join(sentence.text for sentence in sections[path]))))
        for path in sorted(sections, key=nearness, reverse=True)
    ]


def _by_document(points: Sequence[_Point], lead: _Point) -> list[Reading]:
    """The same section of documents that lie side by side: in one folder, or in folders side by side."""
    first = lead.evidence.document
    many: dict[str, _Point] = {}
    for point in points:
        if _are_siblings(first.id, point.evidence.document.id):
            many.setdefault(point.evidence.document.id, point)
    if len(many) < 2:  # noqa: PLR2004
        return []
    return [Reading(point.evidence.document.title, point.evidence, point.section) for point in many.values()]


def _by_heading(points: Sequence[_Point], lead: _Point, heading: frozenset[str]) -> list[Reading]:
    """The same section of one document under headings that lie side by side."""
    many: dict[str, _Point] = {}
    for point in points:
        above = [name for name in point.path[:-1] if not _is_same(frozenset(terms(name)), heading)]
        if point.evidence.document.id == lead.evidence.document.id and above:
            many.setdefault(above[-1], point)
    return [Reading(name, point.evidence, point.section) for name, point in many.items()]


def _are_siblings(one: str, other: str) -> bool:
    folder, beside = posixpath.dirname(one), posixpath.dirname(other)
    return folder == beside or posixpath.dirname(folder) == posixpath.dirname(beside) != ""


def _unnamed(many: list[Reading], asked: frozenset[str]) -> list[Reading]:
    """Those of the readings that the question may mean: by the words that tell one name from another, it names none, or these."""
    while len(many) > 1:
        beside = _folder(many)
        named = [(frozenset(terms(one.name)) | frozenset(terms(_file(one)))) - beside for one in many]
        shared = frozenset[str].intersection(*named)
        counts = [len((name - shared) & asked) for name in named]
        if min(len(name - shared) for name in named) == 0:
            return []
        if len(set(counts)) == 1:
            return many if counts[0] == 0 else []
        many = [one for one, count in zip(many, counts, strict=True) if count == max(counts)]
    return many


def _folder(many: Sequence[Reading]) -> frozenset[str]:
    """The terms of the folders that all readings lie in: they tell none from another."""
    folders = [frozenset(terms(re.sub(r"[-_./]", " ", posixpath.dirname(one.evidence.document.id)))) for one in many]
    return frozenset[str].intersection(*folders)


def _file(one: Reading) -> str:
    return re.sub(r"[-_.]", " ", posixpath.splitext(posixpath.basename(one.evidence.document.path))[0])


def _near(many: Sequence[Reading]) -> list[Reading]:
    """The first reading and those that come near it."""
    if not many:
        return []
    first = many[0].evidence
    return [
        one
        for one in many
        if one.evidence.dense >= first.dense - _NEAR and first.coverage - one.evidence.coverage <= _LEADS
    ]


def _agree(many: Sequence[Reading]) -> bool:
    """Whether all readings say the same as the first one, their names apart."""
    names = frozenset[str].union(*(frozenset(terms(one.name)) for one in many))
    first = many[0].section - names
    return all(_alike(first, one.section - names) >= _AGREE for one in many[1:])


def _is_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two headings are about the same: most of their terms, or most of the shorter one's."""
    both = len(one & other)
    return both >= _ALIKE * len(one | other) or (both > 0 and both >= _WITHIN * min(len(one), len(other)))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _written(item: Evidence) -> frozenset[str]:
    return frozenset(terms(" ".join((item.document.title, *item.passage.heading_path, item.passage.text))))


def with_readings(result: SearchResult, many: Sequence[Reading], *, limit: int) -> SearchResult:
    """The first passages and those of the readings: what a question back names is on record."""
    kept = list(result.evidence[:limit])
    kept += [one.evidence for one in many if one.evidence not in kept]
    return replace(result, evidence=tuple(kept))
