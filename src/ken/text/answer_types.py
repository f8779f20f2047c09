"""What kind of thing a question asks for, and whether a text holds one: an amount of money, a duration, a version ...

The classic first step of question answering (Li and Roth, "Learning Question Classifiers", COLING 2002), by rules. A
passage on the right topic without the kind of thing asked for is the commonest near miss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|half|once|twice|couple|dozen"
    r"|an?(?= (?:second|minute|hour|day|week|month|year|quarter)))"
)
_TIME_UNIT = r"(?:second|minute|min|hour|hr|day|week|fortnight|month|quarter|year|sprint|pay period)s?"


@dataclass(frozen=True, slots=True)
class AnswerType:
    """A kind of answer: how a question asks for it and how a text gives it."""

    name: str
    asked: re.Pattern[str]
    given: re.Pattern[str]
    is_exact: bool
    """Only a figure or an address will do; a duration or a time may also be given in other words."""

    def is_in(self, text: str) -> bool:
        """Whether `text` holds something of this kind."""
        return self.given.search(text) is not None


def _type(name: str, asked: str, given: str, *, is_exact: bool = False) -> AnswerType:
    return AnswerType(name, re.compile(asked, re.IGNORECASE), re.compile(given, re.IGNORECASE), is_exact)


_TYPES = (
    _type(
        "duration",
        r"\bhow (?:long|soon|fast|quickly|often|far ahead|far in advance|early|late|old)\b"
        rf"|\bhow many (?:\w+ )?{_TIME_UNIT}\b|\bhow much (?:time|notice)\b|\bafter how many\b|\bwithin what\b",
        rf"{_NUMBER}[\s-]*(?:\w+[\s-]+){{0,2}}{_TIME_UNIT}\b|\d+ ?(?:ms|s|m|h|d)\b"
        r"|\b(?:immediately|never|forever|indefinitely|daily|weekly|monthly|quarterly|annually|yearly|hourly"
        r"|every|each|straight away|as soon as)\b",
    ),
    _type(
        "money",
        r"\bhow much\b.{0,60}\b(?:pay|paid|cost|costs|reimburs\w+|charge\w*|spend|worth|get|claim|fee|stipend|allowance"
        r"|bonus|price|salary|money|bill)\b|\bhow much (?:£|\$|€)|\bhow many (?:dollars|pounds|euros|cents|bucks)\b"
        r"|\bwhat (?:does|do|would|will) .{0,60}\b(?:pay|cost)\b"
        r"|\b(?:price|fee|salary|stipend|rate|budget|cap|limit) (?:of|for|is|per|on)\b",
        r"[$£€]\s?\d|\b\d[\d,.]*\s?(?:k|m)?\s?(?:dollars?|pounds?|euros?|cents?|usd|eur|gbp|percent|%)"
        r"|\b(?:usd|eur|gbp) ?\d|\d ?%|\b(?:free|no cost|no charge|half)\b",
        is_exact=True,
    ),
    _type(
        "count",
        r"\bhow (?:many|big|large|high|much)\b|\bwhat (?:number|percentage|percent|share|proportion|fraction|size)\b"
        r"|\b(?:maximum|minimum|max|min|biggest|largest|smallest|highest|lowest|total) (?:number|size|amount|value)?\b"
        r"|\bthreshold\b",
        rf"(?<![\w./-]){_NUMBER}(?![\w/-])|\d ?%",
        is_exact=True,
    ),
    _type("version", r"\b(?:which|what) version\b", r"\bv?\d+(?:\.\d+)+\b|\bversion \d|\bv\d+\b", is_exact=True),
    _type("address", r"\bip addresses?\b|\bip ranges?\b", r"\d+\.\d+\.\d+\.\d+", is_exact=True),
    _type("e-mail", r"\b(?:e-?mail address|which e-?mail|what e-?mail)\b", r"\S@\S+\.\w"),
    _type(
        "number",
        r"\b(?:phone|bridge|extension|dial|call-in|room) number\b|\bwhat number\b",
        r"\d{3,}|x\d+|#\d+",
        is_exact=True,
    ),
    _type("port", r"\b(?:which|what) port\b", r"\b\d{2,5}\b", is_exact=True),
    _type(
        "time",
        r"\bwhen\b(?! (?:i|we|you|the|a|an|my|our|it|there|someone)\b)|\bwhat (?:time|date|day)\b|\bby when\b|\bdeadline\b",
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d"
        r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
        r"|\b(?:before|after|within|until|once|as soon as|during|end of|first|last|every|when)\b",
    ),
    _type(
        "place",
        r"\b(?:which|what) (?:room|floor|building|office|channel|slack)\b",
        r"\d|#\w|\bfloor\b|\broom\b",
    ),
)


def expected(question: str) -> AnswerType | None:
    """The kind of answer that `question` asks for; None where it is no particular one."""
    return next((kind for kind in _TYPES if kind.asked.search(question)), None)
