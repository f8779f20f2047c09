"""The rail for questions: attempts to change what Ken is, to get at its instructions, or to carry data out.

The rules look at what a question tells the assistant to do, not at its topic: "what is prompt injection?" is a
question, "ignore your instructions" is not. They work on text folded to plain lower-case letters, so that full-width
letters and zero-width characters don't hide a phrase. Documents can't trip them: they screen questions only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

VERSION = "1"
"""Part of the release."""

_TARGET = r"(?:previous|prior|above|earlier|your|all|any|the|these|those|system|hidden|original|initial)"
_HIDDEN = r"(?:system|hidden|secret|initial|internal|original|developer|above|previous)"
_THING = r"(?:instruction|prompt|message|rule|guideline|direction|restriction|constraint|guardrail)s?"


# Within a sentence, up to n characters on.
def _near(n: int) -> str:
    return rf"[^.?!]{{0,{n}}}"


_OVERRIDE = (
    rf"\b(?:ignore|disregard|forget|override|bypass|skip)\b{_near(40)}\b{_TARGET}\b{_near(30)}\b{_THING}\b"
    rf"|\b(?:don'?t|do not|never|stop)\b{_near(20)}\b(?:use|using|follow|following|rely on|look at)\b{_near(20)}"
    r"\b(?:documents?|sources?|passages?|rules|instructions|handbook)\b"
)
_PERSONA = (
    r"\byou(?:'re| are) (?:now|no longer)\b"
    r"|\bfrom now on,? (?:you|act|answer|don'?t|do not|ignore|pretend|respond)\b"
    rf"|\b(?:pretend|act|roleplay|role-play|behave)\b{_near(25)}\b(?:as if|to be|as an?|you are|like an?)\b{_near(40)}"
    r"\b(?:unrestricted|no (?:rules|restrictions|limits|filters)|jailbr\w+|dan|evil"
    r"|without (?:rules|restrictions|limits|filters))\b"
    rf"|\b(?:no|without|free of|lift|remove|disable|turn off)\b{_near(15)}"
    r"\b(?:restrictions|guardrails|safety (?:rules|filters?)|content (?:policy|filters?)|jailbreak)\b"
    rf"|\b(?:developer|debug|god|admin|jailbreak|dan) mode\b{_near(20)}\b(?:on|enabled?|activated?|now)\b"
    rf"|\b(?:enable|activate|enter|switch to)\b{_near(15)}\b(?:developer|debug|god|jailbreak|dan) mode\b"
)
_DISCLOSE = (
    r"\b(?:repeat|print|show|reveal|output|display|tell|give|translate|summari[sz]e|list|copy|write|quote"
    rf"|what (?:is|are|does|do|was|were))\b{_near(50)}\b{_HIDDEN}\b{_near(25)}\b(?:prompt|message|instruction)s?\b"
    rf"|\b(?:repeat|print|output|copy|echo)\b{_near(30)}\b(?:everything|all|text|words)\b{_near(20)}"
    r"\b(?:above|before this|so far)\b"
    r"|\byour (?:(?:system|hidden|initial) )?(?:prompt|instructions)\b"
)
_FABRICATE = (
    rf"\b(?:invent|make up|fabricate|fake|made-up)\b{_near(30)}"
    r"\b(?:answers?|citations?|sources?|facts?|references?|quotes?|documents?)\b"
)
_EXFILTRATE = (
    rf"!\[[^\]]*\]\s*\(|<img\b|\b(?:image|img|link|url|webhook)\b{_near(40)}\b(?:https?://|\?\w+=)"
    rf"|\b(?:send|post|upload|forward|exfiltrate|leak)\b{_near(60)}\bto\b{_near(10)}https?://"
)
_ABUSE = r"\b(?:begin|start) your (?:answer|reply|response) with\b|\banswer only with ['\"]"

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("override", _OVERRIDE),
        ("persona", _PERSONA),
        ("disclose", _DISCLOSE),
        ("fabricate", _FABRICATE),
        ("exfiltrate", _EXFILTRATE),
        ("abuse", _ABUSE),
    )
)

_MESSAGES = {
    "override": "I answer only from the documents and keep to that.",
    "persona": "I stay what I am: an assistant for these documents.",
    "disclose": "My instructions are not among the documents, and I don't repeat them.",
    "fabricate": "I don't invent answers or citations; every sentence here rests on a document.",
    "exfiltrate": "I don't put data into links or images.",
    "abuse": "I word my answers myself, from the documents.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question is not taken: the rule's name, and what to tell the person."""

    rule: str
    message: str


def screen(question: str) -> Refusal | None:
    """The first rule that the question breaks, or None."""
    folded = _fold(question)
    for name, pattern in _RULES:
        if pattern.search(folded):
            return Refusal(name, f"{_MESSAGES[name]} Ask me something that they hold.")
    return None


def _fold(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", text)
    visible = "".join(character for character in compatible if unicodedata.category(character) != "Cf")
    return re.sub(r"\s+", " ", visible.replace("’", "'")).lower()
