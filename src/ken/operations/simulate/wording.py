"""What simulated people ask, and what they are told: enough words for a page that shows questions to have some."""

from __future__ import annotations

import json

from ken.domain.answer import Citation
from ken.storage.answer_json import dump_citations

TOPICS: dict[str, tuple[str, ...]] = {
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
"""What each category is about."""

_PHRASES = {
    "lookup": "What is the rule for {}?",
    "procedure": "How do I get help with {}, step by step?",
    "comparison": "What is the difference between the old and the new rules for {}?",
    "troubleshooting": "Something about {} does not work. What can I try?",
    "summary": "Summarise what we have on {}.",
    "smalltalk": "Thank you, that was all about {}.",
}


def question(task_type: str, category: str, *, number: int) -> str:
    """A question of a task type on one of the category's topics."""
    return _PHRASES[task_type].format(topic(category, number))


def topic(category: str, number: int) -> str:
    """One of the category's topics."""
    return TOPICS[category][number % len(TOPICS[category])]


def document(category: str, number: int) -> str:
    """The id of the document that a topic's answers cite."""
    return f"handbook/{category}/{topic(category, number).removeprefix('the ').replace(' ', '-')}.md"


def answer(category: str, number: int) -> str:
    """The text of an answer that cites one sentence."""
    return f"{_sentence(category, number)} [1]"


def citations(category: str, number: int) -> str:
    """The same answer's citation, as a trace holds it."""
    said = _sentence(category, number)
    return dump_citations(
        [
            Citation(
                number=1,
                answer_start=0,
                answer_end=len(said) + 4,
                document_id=document(category, number),
                document_title=topic(category, number).capitalize(),
                passage_id=f"{document(category, number)}#1",
                version="simulated",
                start=0,
                end=len(said),
                quote=said,
                support=0.9,
            )
        ]
    )


def prompt(category: str, asked: str, *, number: int) -> str:
    """What the model was given, as a trace holds it."""
    said = f"[1] {_sentence(category, number)}"
    return json.dumps([{"role": "system", "content": said}, {"role": "user", "content": asked}])


def _sentence(category: str, number: int) -> str:
    return f"The {category} handbook has a page on {topic(category, number)}, which its owner keeps up to date."
