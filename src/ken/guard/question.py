"""The rail for questions: attempts to change what Ken is, to get at its instructions, or to carry data out.

The rules look at what a question tells the assistant to do, not at its topic: "what is prompt injection?" is a
question, "ignore your instructions" is an order, and "may I ignore the old instructions?" is a question again. They work
on text folded to plain lower-case letters, so that full-width letters, accents and zero-width characters don't hide a
phrase. Documents can't trip them: they screen questions only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

VERSION = "2"
"""Part of the release."""


# Within a sentence, up to n characters on.
def _near(n: int) -> str:
    return rf"[^.?!]{{0,{n}}}"


# Where an order to the reader may begin. "Ignore the rules" is an order, "may I ignore the rules?" is a question.
_ORDER = (
    r"(?:^|[.!?;:,()\[\]\"'<>*#|-] ?|\b(?:please|and|then|now|just|also|simply|kindly|so|but|first|must|instead"
    r"|feel free to|(?:want|need|ask|order|command)s? you to|task is to|(?:can|could|would|will|should|may) you"
    r"|you (?:should|will|can|may|must|could|are to|have to|need to)) )"
    r"(?:(?:please|now|just|simply|first|completely|totally|always) )*"
)
_THE = r"(?:(?:all|any|every|each|of|the|this|that|these|those|my|me|everything in) )*"
_OWN = r"(?:(?:own|system|safety|hidden|initial|original|internal|secret|previous|prior|full|exact|entire|core) )*"
_EARLIER = r"(?:previous|prior|above|earlier|preceding|foregoing|former|system|initial|original|hidden|developer|other)"
_RULE = (
    r"(?:instruction|prompt|rule|guideline|direction|directive|restriction|constraint|guardrail|command|order|filter)s?"
)
_DROP = r"(?:ignore|disregard|forget|override|overrule|bypass|skip|drop|abandon|discard)"
# What a sentence about Ken's own prompt goes on with; "the initial instructions for new starters" goes on otherwise.
_ENDS = (
    r"(?= ?(?:$|[.?!,;:)\]\"'*`]|(?:and|or|verbatim|word|above|in full|in your|in a|exactly|as |to me|you|that you|given|say"
    r"|says|contains?|texts?|now|here|completely|first|begins?|starts?)\b))"
)

_OVERRIDE = (
    rf"\b{_DROP} {_THE}your {_OWN}(?:\w+ )?{_RULE}\b"
    rf"|{_ORDER}{_DROP} {_THE}(?:{_EARLIER} )+(?:{_RULE}|messages?)\b"
    rf"|{_ORDER}{_DROP} (?:(?:all|any|every|of|the|these|those) )+(?:\w+ )?{_RULE}\b"
    rf"|{_ORDER}{_DROP} (?:everything|anything|all|what(?:ever)?)\b{_near(25)}\b(?:above|before|told|said|so far|learned)\b"
    rf"|{_ORDER}(?:don'?t|do not|never|stop) (?:use|using|follow|following|rely on|relying on|look at|obey|obeying|consult)"
    r" (?:(?:the|your|any|these|those|all) )*(?:\w+ )?(?:documents?|sources?|passages?|rules|instructions|handbooks?)\b"
    r"|\b(?:from|use|using|with) your (?:own|general|training) (?:knowledge|training|memory)\b"
)
_FREEDOMS = r"(?:restrictions?|guardrails?|rules|limits|limitations|filters?|censorship|content policy|safety \w+)"
_PERSONA = (
    rf"{_ORDER}you(?:'re| are) (?:now|no longer)\b"
    rf"|{_ORDER}from now on,? (?:you|act|answer|don'?t|do not|ignore|pretend|respond|reply|always)\b"
    rf"|\b(?:pretend|act|roleplay|role-play|behave)\b{_near(25)}\b(?:as if|to be|as an?|you are|like an?)\b{_near(40)}"
    rf"\b(?:unrestricted|no {_FREEDOMS}|without (?:any )?{_FREEDOMS}|jailbr\w+|dan|evil)\b"
    r"|\b(?:ai|assistant|model|bot|chatbot|you (?:have|are|follow|obey|act|answer|respond|speak|operate))\b"
    rf"{_near(20)}\b(?:no|without|free of|free from|not bound by)(?: any| your)? {_FREEDOMS}\b"
    rf"|{_ORDER}(?:answer|respond|reply|speak)\b{_near(15)}\b(?:without|with no)(?: any| your)? {_FREEDOMS}\b"
    rf"|\b(?:remove|lift|disable|turn off|drop) your (?:\w+ )?{_FREEDOMS}\b"
    r"|\b(?:god|jailbreak|dan|do anything now) mode\b|\byou are (?:now )?in (?:\w+ )?mode\b"
    rf"|{_ORDER}developer mode (?:is )?(?:now )?(?:on|enabled|activated|engaged|unlocked)\b"
    rf"|{_ORDER}(?:enable|activate|enter|switch to|go into) (?:the )?developer mode(?: ?(?:$|[.!,;:])| and\b)"
)
_SHOW = (
    r"(?:repeat|print|show|reveal|output|display|dump|leak|disclose|expose|recite|quote|translate|summari[sz]e|copy|echo"
    r"|paste|type|list|tell me|give me|write|write out|send me)"
)
_DISCLOSE = (
    rf"\byour (?:{_OWN}prompts?|system message){_ENDS}"
    rf"|\byour {_OWN}instructions\b(?! (?:for|on|about|to|regarding|concerning|how)\b)"
    rf"|{_ORDER}{_SHOW}\b{_near(30)}\b(?:system|developer|hidden|secret|initial|original|internal) "
    rf"(?:prompt|instruction|message)s?\b{_ENDS}"
    rf"|{_ORDER}(?:repeat|print|output|reveal|recite|copy|echo)\b{_near(20)}\b(?:above|previous|preceding) "
    rf"(?:prompt|instruction)s?\b{_ENDS}"
    rf"|\bwhat (?:is|are|was|were|does|do|did|'s) (?:the|this|that) (?:system|developer|hidden|secret|initial|original) "
    rf"(?:prompt|instructions){_ENDS}"
    rf"|{_ORDER}(?:repeat|print|output|copy|echo)\b{_near(30)}\b(?:everything|all|text|words)\b{_near(20)}"
    rf"\b(?:above|before this|so far)\b{_ENDS}"
    r"|\b(?:instructions|prompt|rules|text|message) (?:that )?you (?:were|have been|are|got) "
    r"(?:given|told|following|configured with|started with)\b"
    rf"|\b(?:reveal|show|print|dump|give|list)\b{_near(60)}\b(?:hidden from me|i(?: am|'m)? (?:may not|can't|cannot|not "
    r"allowed to) (?:see|read))\b"
)
_CLAIMS = r"(?:answers?|citations?|sources?|facts?|references?|quotes?|quotations?|documents?|figures?|numbers?|polic(?:y|ies))"
_FABRICATE = (
    rf"{_ORDER}(?:invent|make up|fabricate|hallucinate) (?:\w+ ){{0,3}}{_CLAIMS}\b"
    rf"|{_ORDER}fake (?:an?|some|the|your|any) (?:\w+ )?{_CLAIMS}\b"
    rf"|{_ORDER}(?:add|include|give|use|cite|insert|answer)\b{_near(25)}\b(?:fake|made-up|invented|fictional) {_CLAIMS}\b"
)
_EXFILTRATE = (
    r"!\[[^\]]*\] ?\( ?https?:|<img\b[^>]*\bsrc ?= ?[\"']?https?:"
    rf"|{_ORDER}(?:render|include|embed|insert|append|add|put|end|finish|output|attach|show|return|make|create)\b{_near(60)}"
    rf"\b(?:image|img|picture|link|url|webhook|markdown)\b{_near(40)}(?:https?://|\?\w+=)"
    rf"|{_ORDER}(?:send|post|upload|forward|exfiltrate|leak|submit|transmit)\b{_near(60)}\bto\b{_near(10)}https?://"
)
_ABUSE = (
    r"\b(?:begin|start) your (?:answer|reply|response) with\b|\banswer only with ['\"]"
    r"|\b(?:answer|respond|reply)(?: to)? (?:every|each|all|any) (?:question|message)s? with\b"
)

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
    compatible = unicodedata.normalize("NFKD", text)
    visible = "".join(character for character in compatible if unicodedata.category(character) not in {"Cf", "Mn"})
    return re.sub(r"\s+", " ", visible.replace("’", "'")).lower()
