"""Classify: the task type, small talk, and what a follow-up asks on its own. Rules only: cheap, local, explained."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.assistant.turn import Turn
from ken.domain.answer import Message, TaskType
from ken.text.tokens import STOP_WORDS, terms, words

_SMALL_TALK = re.compile(
    r"^(?:(?:hi|hey|hello|yo|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))\b[ ,!.]*)?"
    r"(?:(?:there|ken|everyone|all)\b[ ,!.]*)?"
    r"(?:how(?:'s| is| are| have|'re)? (?:you|it going|your day|things|life|you been|you doing)\b.*"
    r"|(?:thanks?|thank you|cheers|ta|bye|goodbye|good night|see you|ok(?:ay)?|cool|great|nice|lol)\b[^?]{0,40}"
    r"|what(?:'s| is) up\b.*|who are you\b.*|what(?:'s| is) your name\b.*|(?:tell me|know) (?:a|any) jokes?\b.*)?[?!. ]*$",
    re.IGNORECASE,
)
_CREATIVE = re.compile(
    r"\b(?:write|compose|make up|come up with|sing|tell)\b.{0,25}"
    r"\b(?:poem|poetry|haiku|limerick|song|lyrics|rap|short story|bedtime story|fairy tale|novel|joke|riddle|toast)\b"
    r"|\b(?:recipe for|horoscope|lottery numbers|who will win)\b",
    re.IGNORECASE,
)
_PERSONAL_ADVICE = re.compile(
    r"\b(?:my|i|i'm|i've|me)\b.*(?:\b(?:chest pains?|symptoms?|diagnos\w+|dosage|migraines?|rash|aspirin|ibuprofen|antibiotics?)\b"
    r"|\b(?:sue|landlord|divorce|custody|my will|tax return|mortgage rate|invest in|stocks?|bitcoin)\b)",
    re.IGNORECASE,
)
_OUTSIDE = {
    _SMALL_TALK: "Hello! I answer questions from your organisation's documents. What would you like to know?",
    _CREATIVE: "This is beyond my ken: I answer from your organisation's documents, and don't write or guess.",
    _PERSONAL_ADVICE: "This is beyond my ken: I answer from your organisation's documents, and can't give medical, legal "
    "or financial advice. Please ask someone qualified; in an emergency, call your emergency number now.",
}
_COMPARISON = re.compile(
    r"\b(?:difference|differ|compared?|versus|vs\.?|rather than|better than|same as)\b"
    r"|\bor\b.*\bwhich\b|\bwhich\b.*\bor\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:error|fail(?:s|ed|ing|ure)?|broken|crash\w*|stuck|not working|doesn'?t work|won'?t|can'?t|cannot"
    r"|firing|alert(?:s|ing)?|went down|is down|wrong|fix|troubleshoot\w*|debug)\b",
    re.IGNORECASE,
)
_PROCEDURE = re.compile(
    r"^(?:steps?|how (?:do|can|should|would|to|does)|how'?d)\b"
    r"|\b(?:how (?:do|can|should) (?:i|we|you|one)|how to|what(?:'s| is| are) the (?:steps|process|procedure)"
    r"|steps (?:to|for)|walk me through|set ?up|process (?:for|to)|procedure for|instructions (?:for|to|on))\b",
    re.IGNORECASE,
)
_SUMMARY = re.compile(r"\b(?:summari[sz]e|summary|overview|tl;?dr|in short)\b", re.IGNORECASE)
_RULES: tuple[tuple[TaskType, re.Pattern[str]], ...] = (
    ("comparison", _COMPARISON),
    ("troubleshooting", _TROUBLE),
    ("procedure", _PROCEDURE),
    ("summary", _SUMMARY),
)
_NOT_A_PROCEDURE = re.compile(r"\bhow (?:many|much|long|often|far|old|big|soon|late|early|high|large)\b", re.IGNORECASE)
_LEANS_BACK = re.compile(
    r"^(?:and|but|so|or|also|then|what about|how about|what if|why|same|ok(?:ay)?[, ])\b"
    r"|\b(?:it|its|that|this|those|these|they|them|their|there|he|she|him|her|one|ones|the same|instead|else|again|above|previous)\b",
    re.IGNORECASE,
)
_ENOUGH_TERMS = 7
_MAX_CARRIED = 12


def classify(turn: Turn) -> str:
    """Read `text` and `history`; set `task` and `standalone`, and `reply` with `outcome` for small talk."""
    turn.task = _task(turn.text)
    turn.standalone = standalone(turn.text, turn.history)
    reply = next((reply for pattern, reply in _OUTSIDE.items() if pattern.search(turn.text)), None)
    if reply is not None:
        turn.outcome = "abstained"
        turn.reply = reply
    carried = ", with the question before it" if turn.standalone != turn.text else ""
    return f"{turn.task}{carried}"


def is_out_of_scope(text: str) -> bool:
    """Whether a question is small talk, creative writing, or personal medical, legal or financial advice."""
    return any(pattern.search(text) for pattern in _OUTSIDE)


def _task(text: str) -> TaskType:
    if is_out_of_scope(text):
        return "smalltalk"
    for task, pattern in _RULES:
        if pattern.search(text) and not (task == "procedure" and _NOT_A_PROCEDURE.search(text)):
            return task
    return "lookup"


def standalone(text: str, history: Sequence[Message]) -> str:
    """Put what the conversation is about before a question that leans on it.

    A question leans on what came before when it points back ("what about", "it", "there") and holds few terms of its
    own. The topic is what the last questions asked; the answers' words would drown it.
    """
    asked = [message.content for message in history if message.role == "user"]
    own = terms(text)
    if not asked or len(own) >= _ENOUGH_TERMS:
        return text
    if not _LEANS_BACK.search(text) and len(own) > 2:  # noqa: PLR2004 - two terms are a fragment
        return text
    known = {word.lower() for word in words(text)}
    carried: list[str] = []
    for question in reversed(asked[-2:]):
        for word in words(question):
            if word.lower() not in STOP_WORDS | known:
                known.add(word.lower())
                carried.append(word)
        if len(carried) >= 2:  # noqa: PLR2004 - one question back was enough
            break
    return f"{text} ({' '.join(carried[:_MAX_CARRIED])})" if carried else text
