"""How difficult a question is for a light model: what is to be seen of it and of what was found, and a score with its reasons.

A short question is not necessarily a simple one, so that its length says little; what counts is what has to be done with the
passages: set beside each other, reckoned with, weighed. The score is a logistic model. Its weights are rules, chosen by hand,
until `ken tune routes --train` has fitted others to what a home's own tiers got wrong (`route_model.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.answer import TaskType
from ken.domain.document import Evidence
from ken.text.tokens import terms, words

Work = Literal["answer", "code", "creative"]
"""What is to be made: an answer, a piece of code, a text in words of its own."""

_CONDITION = re.compile(
    r"\b(?:if|unless|except|provided|in case|assuming|suppos\w+|even though|although|given that|as long as|whether)\b"
    r"|(?<!^)\bwhen\b",
    re.IGNORECASE,
)
_RECKONED = re.compile(
    r"\b(?:in total|total (?:cost|price|amount|number)|sum of|in all|altogether|on average|calculate|work out|add up|pro.?rat\w+"
    r"|left over|how (?:much|many) (?:\w+ )?(?:more|less|fewer|longer|earlier|later)"
    r"|(?:days|weeks|months|years) (?:between|until|from now))\b"
    r"|\d\s*[-+*/×]\s*\d",
    re.IGNORECASE,
)
_ASKS_AMOUNT = re.compile(
    r"\b(?:how (?:much|many|long|soon|late)|by when|(?:what|which|latest|earliest|last) (?:date|day|amount))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:[.,:]\d+)*\s?%?(?![\w-])")
_FURTHER = re.compile(
    r"(?:[,;:?]|\b(?:and|or|but)\b)\s+(?:(?:in|on|for|over|from|to|by|at|under|with|of|so|also)\s+){0,2}"
    r"(?:which|what|who|whom|whose|where|when|how|why|is|does|do|can|may|must)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\b(?:which|what|who|whom|whose|where|when|how|why)\b", re.IGNORECASE)
_TELLS = re.compile(
    r"\b(?:i['’]m|i am|i['’]ve|i have|i was|i (?:need|want|work|plan|joined|leave|left|used)|my \w+(?: \w+)? (?:is|was|has)"
    r"|(?:a|an|one|the) (?:\w+ ){1,3}(?:is|has|was|are|were))\b[^?]{0,400}?[,.:;]",
    re.IGNORECASE,
)
_WEIGHED = re.compile(
    r"\b(?:why|explain|justify|should (?:i|we|one|they|he|she)|best|better|worth|recommend\w*|advis\w+|pros and cons|trade-?offs?"
    r"|implications?|impact|consequences?|what happens (?:if|when)|evaluate|assess|analy[sz]e|argue|how come|reasons?)\b",
    re.IGNORECASE,
)
_ALL_OF = re.compile(
    r"\b(?:all|every|each|list|everything|both|complete|who else|what else|any other)\b", re.IGNORECASE
)
_NEGATED = re.compile(
    r"\b(?:not|never|no longer|without|except|cannot|neither|nor|excluded?|(?:ca|is|are|does|do|wo|must|should|was)n['’]t)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"```|`[^`\n]+`|\bTraceback\b|\bdef \w+\(|\bSELECT\b[^?]+\bFROM\b|\w\(\)|(?:^|\s)--\w[\w-]+|^\s*\$ \w", re.MULTILINE
)
_WANTS_CODE = re.compile(
    r"```|\b(?:write|fix|refactor|debug|generate|give me|show me)\b[^.?!]{0,40}"
    r"\b(?:script|function|query|code|regex|regular expression|sql|program|snippet|one-liner|unit tests?|dockerfile|makefile)\b",
    re.IGNORECASE,
)
_WANTS_TEXT = re.compile(
    r"\b(?:write|draft|compose|rephrase|rewrite|reword|brainstorm|suggest|come up with|make up)\b[^.?!]{0,40}"
    r"\b(?:e-?mail|letter|announcement|post|message|text|speech|slogan|headline|tagline|blurb|invitation|introduction|newsletter"
    r"|notice|reminder|paragraph|names?|titles?)\b",
    re.IGNORECASE,
)
_MOST_CHARS = 1200
"""Of a question that are read for what it asks: a longer one holds something that was pasted, and asks before or behind it."""
_FEW_TERMS = 2
_MOST = 3.0
"""A count above this says nothing more."""
_MANY_WORDS = 20.0
_MANY_TOKENS = 2000.0
_NEAR_BEST = 0.5
"""A passage with this share of the best one's relevance is near it."""

WORDS: Mapping[str, str] = {
    "comparison": "it compares",
    "procedure": "it asks how something is done",
    "troubleshooting": "something has gone wrong",
    "summary": "it asks for a summary",
    "parts": "several questions in one",
    "case": "a case is told that rules have to be applied to",
    "conditions": "conditions",
    "reckoning": "something has to be reckoned",
    "judgement": "it asks for reasons or advice",
    "enumeration": "it asks for all of something",
    "negation": "a negation",
    "vague": "few words that say what it is about",
    "length": "its length",
    "code": "code in it",
    "follow_up": "it leans on the conversation",
    "documents": "several documents come near",
    "flatness": "no passage stands out",
    "doubt": "it is open whether the passages hold the answer",
    "unlikely": "the passages may not hold the answer",
    "disagreement": "passages disagree",
    "times": "documents that hold at other times",
    "amount": "much to read",
}
"""Each feature in words, in the order in which they are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A question and what was found for it, as far as its difficulty may show there."""

    text: str
    """As it stands alone."""
    task: TaskType = "lookup"
    parts: int = 1
    """The questions that it is made of."""
    leans: bool = False
    """Whether it was asked on top of a conversation that it can't be understood without."""
    evidence: Sequence[Evidence] = ()
    """Best first."""
    answerable: float = 1.0
    """The probability that the evidence holds the answer."""
    disagreements: int = 0
    other_times: int = 0
    """Documents of the evidence that are superseded, or not in force yet."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature adds to the score, in log-odds."""

    feature: str
    value: float
    points: float

    @property
    def words(self) -> str:
        """The feature in words for people."""
        return WORDS[self.feature]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How difficult, 0 to 1, and what made it so, the weightiest first."""

    value: float
    contributions: tuple[Contribution, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict[str, float])
    """All that was seen, also what has no weight yet: training may give it one."""
    origin: str = "rules"

    @property
    def reason(self) -> str:
        """What speaks for it most, in words; of an easy question, that nothing does."""
        raised = [each.words for each in self.contributions if each.points > 0]
        return ", ".join(raised[:3]) if raised else "nothing about it is difficult"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """A logistic model: 1 / (1 + exp(-(bias + weights · features)))."""

    bias: float
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    origin: str = "rules"
    """`rules`, or when and on what it was trained."""

    def estimate(self, features: Mapping[str, float]) -> Estimate:
        """The probability that a light model's answer isn't good enough."""
        points = {name: self.weights.get(name, 0.0) * value for name, value in features.items()}
        told = [Contribution(name, features[name], each) for name, each in points.items() if each]
        score = self.bias + sum(points.values())
        ordered = tuple(sorted(told, key=lambda each: (-abs(each.points), each.feature)))
        value = 1.0 / (1.0 + math.exp(-score))
        return Estimate(value=value, contributions=ordered, features=features, origin=self.origin)


RULES = Estimator(
    bias=-2.2,
    weights={
        "comparison": 2.2,
        "procedure": 0.0,
        "troubleshooting": 0.4,
        "summary": 0.0,
        "parts": 1.6,
        "case": 0.7,
        "conditions": 0.7,
        "reckoning": 1.6,
        "judgement": 1.3,
        "enumeration": 0.6,
        "negation": 0.3,
        "vague": 0.5,
        "length": 0.3,
        "code": 0.8,
        "follow_up": 0.3,
        "documents": 0.2,
        "flatness": 0.3,
        "doubt": 0.7,
        "unlikely": 0.0,
        "disagreement": 1.5,
        "times": 0.6,
        "amount": 0.2,
    },
)
"""A comparison makes a question difficult by itself; else it takes two weighty features, or one with several light ones. What has
no weight tells nothing of most models; a training may find that it does of a home's own."""


def features_of(seen: Seen) -> dict[str, float]:
    """Each feature of WORDS, most of them between 0 and 1; counts go up to 3."""
    text = _asked(seen.text)
    reckons = bool(_RECKONED.search(text)) or (bool(_ASKS_AMOUNT.search(text)) and bool(_NUMBER.search(text)))
    best = seen.evidence[0].relevance if seen.evidence else 0.0
    near = {item.document.id for item in seen.evidence if item.relevance >= _NEAR_BEST * best}
    second = seen.evidence[1].relevance if len(seen.evidence) > 1 else 0.0
    return {
        "comparison": float(seen.task == "comparison"),
        "procedure": float(seen.task == "procedure"),
        "troubleshooting": float(seen.task == "troubleshooting"),
        "summary": float(seen.task == "summary"),
        "parts": min(_MOST, max(seen.parts - 1, _further(text))),
        "case": float("?" in text and bool(_TELLS.search(text.partition("?")[0]))),
        "conditions": min(_MOST, len(_CONDITION.findall(text))),
        "reckoning": float(reckons),
        "judgement": float(bool(_WEIGHED.search(text))),
        "enumeration": float(bool(_ALL_OF.search(text))),
        "negation": float(bool(_NEGATED.search(text))),
        "vague": float(len(set(terms(text))) < _FEW_TERMS),
        "length": min(_MOST, len(words(seen.text)) / _MANY_WORDS),
        "code": float(bool(_CODE.search(text))),
        "follow_up": float(seen.leans),
        "documents": min(_MOST, max(0, len(near) - 1)),
        "flatness": min(1.0, second / best) if best > 0 else 0.0,
        "doubt": 4 * seen.answerable * (1 - seen.answerable),
        "unlikely": 1 - seen.answerable,
        "disagreement": float(seen.disagreements > 0),
        "times": float(seen.other_times > 0),
        "amount": min(_MOST, sum(item.passage.tokens for item in seen.evidence) / _MANY_TOKENS),
    }


def _asked(text: str) -> str:
    """A question without the middle of a long one."""
    half = _MOST_CHARS // 2
    return text if len(text) <= _MOST_CHARS else f"{text[:half]}\n{text[-half:]}"


def _further(text: str) -> int:
    """How many more questions are asked in one breath: "what does it cost, and who pays?" asks one more."""
    first = _ASKS.search(text)
    return 0 if first is None else len(_FURTHER.findall(text, first.end()))


def work_of(text: str) -> Work:
    """What a question wants made; by its words alone."""
    text = _asked(text)
    if _WANTS_CODE.search(text):
        return "code"
    return "creative" if _WANTS_TEXT.search(text) else "answer"
