"""What a question asks for: a duration, a person, a reason, a yes or no ... and whether two questions ask for the same."""

from __future__ import annotations

import re
from pathlib import Path

_FILE = Path(__file__).with_name("asked_for.txt")
_TIME_UNIT = r"(?:seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?|quarters?|fortnights?)"
_OF = r"(?:\w+[\s-]){0,3}?"
_AUX = (
    r"(?:do|does|did|can|could|may|might|must|should|shall|will|would|is|are|am|was|were|has|have|had|isn't|aren't|don't|doesn't"
    r"|can't|couldn't|won't|shouldn't|mustn't|need(?= (?:i|we|you)\b))"
)


def _kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The kinds of asked_for.txt with what asks for them, in order."""
    found: list[tuple[str, re.Pattern[str]]] = []
    for section in re.split(r"^\[(?=[a-z ]+\]$)", _FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, *lines = section.splitlines()
        written = "|".join(line for line in lines if line)
        for part, pattern in (("{of}", _OF), ("{unit}", _TIME_UNIT), ("{helper}", _AUX)):
            written = written.replace(part, pattern)
        found.append((name.removesuffix("]"), re.compile(rf"(?<![\w'-])(?:{written})", re.IGNORECASE)))
    return tuple(found)


_PATTERNS = _kinds()
_LEAD_IN = re.compile(
    r"^(?:(?:hi|hello|hey|please|quick question|sorry|excuse me|so|and|but|well|ok|okay|also|then|just|now)\b[\s,:;!.-]*)*"
    r"(?:(?:can|could|would|will) (?:you|someone|anybody|anyone|somebody) (?:please |kindly |possibly )?"
    r"(?:tell|explain|say|show|help|clarify|remind|let|point|give|describe)(?: to)?(?: me| us)?(?: know| understand| out)?"
    r"|(?:do|does|would) (?:you|anyone|anybody|someone|somebody) (?:happen to )?(?:know|remember|have any idea)"
    r"|(?:i|we)(?:'d| would) (?:like|love|need) to (?:know|find out|understand|ask|learn)"
    r"|i (?:want|need|have|am trying|'m trying) to (?:know|find out|understand|ask|learn)"
    r"|i(?:'m| am| was|'ve been)? (?:just )?wonder(?:ing)?"
    r"|i(?:'m| am) (?:not sure|unsure|curious|unclear|asking|confused)(?: about)?|tell (?:me|us)"
    r"|please (?:tell|explain|say|clarify|let me know)(?: me| us)?|any (?:idea|clue|chance you know)|remind me|explain(?: to me| to us)?"
    r"|is it (?:clear|known|documented|defined|written down|specified)(?: anywhere| somewhere)?"
    r"|what i want to know is|my question is|let me know|describe)"
    r"(?: again)?(?=\W)[\s,:-]*",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"^(?:if|whether)\b", re.IGNORECASE)
_SUBORDINATE = re.compile(
    rf"^(?:if|when|whenever|after|before|while|once|since|because|as|in case|where|for|during|given|assuming|suppose"
    rf"|supposing|say|with|without)\b(?! {_AUX}\b)(?! how| what| which)[^,?]*,\s*(?=\S)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|when|once|after|before|while|unless|because|since|that|which|who|where|whenever|as soon as)\b",
    re.IGNORECASE,
)

_ALIKE = {
    frozenset({kind, other})
    for kind, others in {
        "duration": "count time lead",
        "lead": "time count amount",
        "share": "amount count thing",
        "count": "amount",
        "amount": "cost",
        "age": "count amount time duration",
        "distance": "amount",
        "which": "thing time amount count person place cost meaning manner",
        "meaning": "thing",
        "purpose": "thing reason meaning manner",
        "difference": "thing manner",
        "thing": "amount count cost duration consequence manner distance age time lead",
        "place": "manner",
        "yes or no": "thing amount cost",
        "consequence": "manner amount cost",
        "frequency": "count amount",
        "object": "thing which manner consequence meaning amount count cost",
        "sign": "which place thing",
    }.items()
    for other in others.split()
}
"""Kinds of which one question may be worded for either."""
OPEN = "open"
"""Of a text that asks in no form that is known: a few key words, a statement."""


def core(text: str) -> str:
    """A question without what leads up to it: "could you tell me", "I was wondering"."""
    plain = text.replace("’", "'").strip()
    for _ in range(2):
        rest = _LEAD_IN.sub("", plain, count=1).strip()
        if rest == plain or not rest:
            break
        plain = rest
    return plain


def asked_for(text: str) -> frozenset[str]:
    """The kinds of answer that a question asks for; one, as a rule. `OPEN` alone where none can be told."""
    plain = core(text)
    if _WHETHER.match(plain) and plain != text.replace("’", "'").strip():
        return frozenset({"yes or no"})
    found = _asked(plain)
    if "yes or no" in found and re.match(
        r"(?:is|are) there (?:a|an|any) (?:\w+ )?(?:limit|maximum|minimum|cap|fee|charge|deadline|quota|max)",
        plain,
        re.IGNORECASE,
    ):
        found |= {"amount", "time", "cost"}
    if "duration" in found and re.match(r"after\b", plain, re.IGNORECASE):
        found |= {"frequency", "time"}
    return found


def _asked(plain: str) -> frozenset[str]:
    """Of the sentence that asks; a question word in a subordinate clause asks nothing."""
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", plain) if part]
    asking = [part for part in sentences if part.rstrip().endswith("?")] or sentences
    for sentence in map(_main_clause, reversed(asking)):
        best: tuple[int, int, str] | None = None
        for order, (name, pattern) in enumerate(_PATTERNS):
            for match in pattern.finditer(sentence):
                if not _begins(sentence, match.start(), name):
                    continue
                if best is None or (match.start(), order) < best[:2]:
                    best = (match.start(), order, name)
                break
        if best is not None:
            return (
                frozenset({best[2], "manner"}) if _is_way(sentence) and best[2] == "yes or no" else frozenset({best[2]})
            )
    return frozenset({OPEN})


def _main_clause(sentence: str) -> str:
    return _SUBORDINATE.sub("", sentence, count=1)


def _is_way(sentence: str) -> bool:
    return (
        re.match(r"is there (?:\w+ ){1,3}?(?:way|possibility|option)|is it possible", sentence, re.IGNORECASE)
        is not None
    )


def _begins(sentence: str, at: int, name: str) -> bool:
    """Whether a question word there asks: at the start of a clause, or of a question after a condition's comma."""
    before = sentence[:at].rstrip()
    if not before:
        return True
    helped = re.match(_AUX + r"\b", before, re.IGNORECASE) is not None
    if before[-1] in ",:;-–—.!?)" or re.search(r"\b(?:and|but|so|then)$", before, re.IGNORECASE):
        return not (
            helped and name in _RELATIVE and re.match(r"(?:when|where|who|which)\b", sentence[at:], re.IGNORECASE)
        )
    if name == "yes or no":
        return False
    if _LONE_PREPOSITION.fullmatch(before):
        return True
    has_helper = re.search(_AUX + r"\b", before, re.IGNORECASE) is not None
    return not has_helper and name not in _RELATIVE and _CONDITION.search(before) is None


_RELATIVE = frozenset({"time", "person", "place", "thing"})
"""Kinds whose question words also begin relative clauses."""
_LONE_PREPOSITION = re.compile(
    r"(?:for|in|at|on|by|to|from|until|since|after|within|with|of|under|about|against|up to)", re.IGNORECASE
)


def differ(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two questions surely ask for different things."""
    if OPEN in a or OPEN in b or a & b:
        return False
    return not any(frozenset({one, other}) in _ALIKE for one in a for other in b)
