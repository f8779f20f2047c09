"""What simulated people ask, and what they are told: of the home's own documents, or else of made-up ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from ken.domain.answer import Citation
from ken.domain.document import Document, Passage
from ken.domain.principal import EVERYONE
from ken.storage.answer_json import dump_citations
from ken.storage.documents import Documents

_TOPICS: dict[str, tuple[str, ...]] = {
    "general": ("the visitor desk", "meeting rooms", "the office move", "parking", "badges", "the print room"),
    "policies": ("remote work", "travel expenses", "gifts", "data retention", "overtime", "procurement"),
    "benefits": (
        "parental leave",
        "the pension plan",
        "sick leave",
        "the training budget",
        "health checks",
        "bike leasing",
    ),
    "runbooks": (
        "the payment queue",
        "database failover",
        "certificate renewal",
        "the nightly export",
        "mail",
        "backups",
    ),
    "fresh": (
        "today's maintenance",
        "this week's release",
        "the current on-call",
        "open incidents",
        "the menu",
        "the tram",
    ),
}
"""What each category is about, where there are no documents."""

_PHRASES = {
    "lookup": "What is the rule for {}?",
    "procedure": "How do I get help with {}, step by step?",
    "comparison": "What is the difference between the old and the new rules for {}?",
    "troubleshooting": "Something about {} does not work. What can I try?",
    "summary": "Summarise what we have on {}.",
    "smalltalk": "Thank you, that was all about {}.",
}

_KINDS = {
    "benefits": re.compile(
        r"leave|benefit|pension|health|learning|training|salary|pay\b|volunteer|bonus", re.IGNORECASE
    ),
    "runbooks": re.compile(
        r"runbook|backup|restore|incident|on-call|deploy|outage|post-mortem|failover", re.IGNORECASE
    ),
    "policies": re.compile(
        r"polic|rule|conduct|retention|travel|expense|working|security|rates|password|card", re.IGNORECASE
    ),
}
"""By the words of their titles, which category a home's documents are put into; the others are general."""
_MOST = 6
_PASSAGES = 4
_TEXT = re.compile(r"(?m)^[A-Z][^\n|*_`\[\]<>#]{39,}?[.](?=\s|$)")
"""A sentence at the beginning of a line, without marks in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a simulated question is about, and the sentence of a document that answers it."""

    topic: str
    title: str
    document_id: str
    version: str
    passages: tuple[tuple[str, str, str], ...]
    """The passages that a search finds, the best first: id, document and version of each."""
    sentence: str
    start: int
    """Of the sentence, in the document's text."""


class Wording:
    """The texts of simulated questions. The same subject and task type always give the same text."""

    def __init__(self, subjects: Mapping[str, tuple[Subject, ...]] | None = None) -> None:
        self._subjects = subjects or _INVENTED
        self.question = cache(self._question)
        self.answer = cache(self._answer)
        self.citations = cache(self._citations)

    def subject(self, category: str, number: int) -> Subject:
        """One of the category's subjects."""
        subjects = self._subjects.get(category) or _INVENTED[category]
        return subjects[number % len(subjects)]

    def prompt(self, category: str, asked: str, *, number: int) -> str:
        """What the model was given, as a trace holds it."""
        said = f"[1] {self.subject(category, number).sentence}"
        return json.dumps([{"role": "system", "content": said}, {"role": "user", "content": asked}])

    def _question(self, task_type: str, category: str, number: int) -> str:
        return _PHRASES[task_type].format(self.subject(category, number).topic)

    def _answer(self, category: str, number: int) -> str:
        return f"{self.subject(category, number).sentence} [1]"

    def _citations(self, category: str, number: int) -> str:
        """The same answer's citation, as a trace holds it."""
        subject = self.subject(category, number)
        return dump_citations(
            [
                Citation(
                    number=1,
                    answer_start=0,
                    answer_end=len(subject.sentence) + 4,
                    document_id=subject.document_id,
                    document_title=subject.title,
                    passage_id=subject.passages[0][0],
                    version=subject.version,
                    start=subject.start,
                    end=subject.start + len(subject.sentence),
                    quote=subject.sentence,
                    support=0.9,
                )
            ]
        )


def of_documents(documents: Documents) -> dict[str, tuple[Subject, ...]]:
    """What may be asked of a home's documents that everyone may read, by category; empty where there are none."""
    found: dict[str, list[Subject]] = {}
    readable = [each for each in documents.snapshot().documents if EVERYONE in each.groups and not each.superseded_by]
    for document in readable:
        category = _category(document.title)
        if len(found.get(category, ())) < _MOST:
            subject = _subject(document, documents.passages_of(document.id), others=readable)
            found.setdefault(category, []).extend(subject)
    every = tuple(subject for subjects in found.values() for subject in subjects)
    if not every:
        return {}
    now = [replace(each, topic=f"{each.topic} today") for each in found.get("runbooks", every)]
    return {name: tuple(now if name == "fresh" else found.get(name) or every)[:_MOST] for name in _TOPICS}


def _category(title: str) -> str:
    return next((name for name, pattern in _KINDS.items() if pattern.search(title)), "general")


def _subject(document: Document, passages: Iterable[Passage], *, others: Iterable[Document]) -> Iterator[Subject]:
    """The document as a subject, where it has a sentence that can be cited as it stands."""
    own = tuple(passages)
    for passage in own:
        sentence = _TEXT.search(passage.text)
        if sentence is None:
            continue
        ranked = [passage, *(each for each in own if each is not passage)]
        near = [(each.id, each.document_id, each.version) for each in ranked]
        near += [(f"{each.id}#p0", each.id, each.version) for each in others if each.id != document.id]
        yield Subject(
            topic=_within(document.title),
            title=document.title,
            document_id=document.id,
            version=document.version,
            passages=tuple(near[:_PASSAGES]),
            sentence=sentence[0],
            start=passage.start + sentence.start(),
        )
        return


def _within(title: str) -> str:
    """A title in the middle of a sentence."""
    word = title.split(" ", maxsplit=1)[0]
    return title if word != word.capitalize() else title[:1].lower() + title[1:]


def _made_up(category: str, topic: str) -> Subject:
    document = f"handbook/{category}/{topic.removeprefix('the ').replace(' ', '-')}.md"
    return Subject(
        topic=topic,
        title=topic.capitalize(),
        document_id=document,
        version="simulated",
        passages=tuple((f"{document}#{rank + 1}", document, "simulated") for rank in range(_PASSAGES)),
        sentence=f"The {category} handbook has a page on {topic}, which its owner keeps up to date.",
        start=0,
    )


_INVENTED = {category: tuple(_made_up(category, topic) for topic in topics) for category, topics in _TOPICS.items()}
