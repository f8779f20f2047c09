"""Classify: the task type, small talk, and what a follow-up asks on its own. Rules only: cheap, local, explained."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.assistant.ask_back import chosen
from ken.assistant.turn import Turn
from ken.domain.answer import Message, TaskType
from ken.domain.cached import Category
from ken.gateway.cache.categories import BUILT_IN, GENERAL, category_of
from ken.text.tokens import STOP_WORDS, terms, words

# A greeting, thanks or a question to Ken itself is the whole text; "nice level of batch jobs" only begins like one.
_SMALL_TALK = re.compile(
    r"^(?:(?:hi|hey|hello|yo|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))\b[ ,!.]*)?"
    r"(?:(?:there|ken|everyone|all)\b[ ,!.]*)?"
    r"(?:how(?:'s| is| are| have|'re)? (?:you|it going|your day|things|life)"
    r"(?: (?:doing|going|been|feeling|keeping|today|tonight|so far|these days|then|all|treating you))*"
    r"|(?:thanks?|thank you|cheers|ta|bye|goodbye|good night|see you|ok(?:ay)?|cool|great|nice|lol)"
    r"(?:[ ,!.]+(?:a lot|so much|very much|a bunch|again|for (?:your|the|that|all|this)(?: (?:the|your))?(?: \w+)?|then|you|ken"
    r"|all|everyone|there|bye|later|tomorrow|soon|thanks?|thank you|cheers|ok(?:ay)?|cool|great|nice|good|perfect|got it"
    r"|will do|(?:that|it)(?:'s| is| was)? (?:great|helpful|good|all|it|perfect|fine|nice|useful|works?|worked)|very|really"
    r"|so|helpful|one|job|work|answer))*"
    r"|what(?:'s| is) up(?: (?:ken|today|there))?|who are you(?: (?:really|exactly))?|what(?:'s| is) your name"
    r"|(?:(?:can|could) you )?(?:please )?(?:tell me|do you know|know) (?:an?|any|another) (?:\w+ )?jokes?(?: please)?)?[?!. ]*$",
    re.IGNORECASE,
)
_CREATIVE = re.compile(
    r"\b(?:write|compose|make up|come up with|sing)(?: me| us)?(?: (?:an?|some|the|another|this))?(?: \w+){0,2} "
    r"(?:poem|poetry|haiku|limerick|song|lyrics|rap|short story|bedtime story|fairy tale|novel|joke|riddle|toast)s?\b"
    r"|\btell (?:me|us) (?:an?|some|another) (?:\w+ )?(?:poem|limerick|short story|bedtime story|fairy tale|joke|riddle)s?\b"
    r"|\b(?:good|best|easy|nice|simple|quick|tasty) recipes? for\b|\b(?:give|send|show|find) me (?:an?|some) (?:\w+ )?recipes?\b"
    r"|\b(?:horoscope|lottery numbers)\b|\bwho (?:will|is going to) win the (?:\w+ ){0,3}"
    r"(?:cup|league|election|championship|match|game|olympics|tournament)\b",
    re.IGNORECASE,
)
# What to take, whom to sue, what to buy; sick leave, stock levels and tax forms are an organisation's own matters.
_MEDICINE = r"(?:medicines?|medication|painkillers?|pills?|drugs?|dos(?:e|age)|antibiotics?|aspirin|ibuprofen|paracetamol|treatment)"
_PERSONAL_ADVICE = re.compile(
    rf"\b(?:what|which|how much|how many)\b(?: \w+){{0,2}} {_MEDICINE}\b(?: \w+){{0,2}} (?:should|can|do|could) i\b"
    rf"|\b(?:should|can|could|do) i take (?:\w+ )?{_MEDICINE}\b|\bdiagnose (?:me|my)\b"
    r"|\bwhat should i (?:take|do) (?:for|about|against) my (?:\w+ )?(?:pain|fever|rash|cough|symptoms?|migraines?|headaches?)\b"
    r"|\bi (?:have|feel|am having)\b[^.?!]{0,20}\bchest pains?\b"
    r"|\b(?:can|could|should|may) i sue\b|\b(?:get|file for|win) (?:an? )?(?:divorce|custody)\b|\bwrite my will\b"
    r"|\bshould i (?:invest|buy|sell)\b.{0,40}\b(?:stocks?|shares|bitcoin|crypto\w*|gold|bonds?|funds?)\b"
    r"|\b(?:which|what) (?:stocks?|shares|crypto\w*) (?:should i|do i|to) buy\b|\bhow (?:do|can|should) i invest\b",
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
    r"^(?:and|but|so|or|also|then|what about|how about|what if|why|same|ok(?:ay)?[, ]|no,? (?:i|we|not|the)|sorry|(?:i|we) meant?)\b"
    r"|\b(?:it|its|that|this|those|these|they|them|their|there|he|she|him|her|the same|instead|else|again|above|previous"
    r"|the (?:two|others|latter|former)|the (?:first|second|last|other) ones?)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have)"
    r"(?:'s|'re|\b)",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks?|thank you|cheers|great|good|nice|perfect|cool|got it|right|alright|i see|hm+)\b[ ,.!]*)+",
    re.IGNORECASE,
)
# What can be asked of anything: a question that says no more than that is about what came before it.
_OF_ANYTHING = frozenset(
    terms(
        """ahead allow allowed answer apply approve approved approves ask asked available back begin begins bring case change
        charge charged claim come cost costs count day days deadline decide decides do done due early end ends exactly
        example exception exceptions explain far fast fee find first form give given go goes happen happens hour hours kept
        know last late later least left length limit limits long longest look maximum mean means minimum month months need
        needed number often old owner paid part parts pay pays person possible price quick quickly reach reason refuse refused
        request require required rule rules send short sign signs soon start starts stay step steps stop submit take
        takes tell time times total use used usual valid wait week weeks work works write year years"""
    )
)
_ENOUGH_TERMS = 7
_MAX_CARRIED = 12


def classify(turn: Turn, categories: Sequence[Category] = BUILT_IN) -> str:
    """Read `text` and `history`; set `task`, `standalone` and `category`, and `reply` with `outcome` for small talk."""
    turn.task = _task(turn.text)
    turn.standalone = standalone(turn.text, turn.history)
    turn.category = category_of(turn.standalone, turn.question.collections, categories=categories)
    reply = next((reply for pattern, reply in _OUTSIDE.items() if pattern.search(turn.text)), None)
    if reply is not None:
        turn.outcome = "abstained"
        turn.reply = reply
    carried = ", with the question before it" if turn.standalone != turn.text else ""
    about = f", {turn.category}" if turn.category != GENERAL else ""
    return f"{turn.task}{carried}{about}"


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
    """Put what the conversation is about behind a question that leans on it.

    A question leans on what came before when it points back ("what about", "it", "there") and holds few terms of its
    own, or when it says nothing that can't be asked of anything. The topic is what the last questions asked; the
    answers' words would drown it, what kind of answer they wanted is not asked again, and thanks are no question.
    Where Ken asked back, what is chosen stands for the question that it asked back about.
    """
    if choice := chosen(text, history):
        return choice
    asked = [message.content for message in history if message.role == "user" and not is_out_of_scope(message.content)]
    if not asked or not _leans(_COURTESY.sub("", text)):
        return text
    known = {word.lower() for word in words(text)}
    carried: list[str] = []
    for question in reversed(asked[-2:]):
        for word in words(_COURTESY.sub("", question)):
            if word.lower() not in STOP_WORDS | known:
                known.add(word.lower())
                carried.append(word)
        if len(carried) >= 2:  # noqa: PLR2004 - one question back was enough
            break
    return f"{text} ({' '.join(carried[:_MAX_CARRIED])})" if carried else text


def _leans(text: str) -> bool:
    """Whether a question can't be understood without the one before it."""
    own = terms(text)
    if len(own) >= _ENOUGH_TERMS:
        return False
    # Without a word that points back, only a fragment leans: no question word, and two terms at most.
    is_fragment = len(own) <= 2 and not _ASKS.match(text)  # noqa: PLR2004
    return is_fragment or _LEANS_BACK.search(text) is not None or _OF_ANYTHING.issuperset(own)
