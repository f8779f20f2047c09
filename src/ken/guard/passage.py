"""The rail for documents: sentences in them that are addressed to the assistant instead of to a person.

A document is data. Whatever it tells the assistant to do is reported to its owner, marked in the prompt and never
followed. The rules look for orders that only a machine can be meant by ("ignore all previous instructions", "AI
assistants reading this page must ..."), for role marks of chat models, and for text that people can't see. A handbook
is full of orders to people ("ignore the alert", "you are now ready", "send the report to ..."), and a security guide
talks about injections: neither is reported. What stands in quotation marks or as code, in a sentence that introduces it
or under one that names the attack, is talked about and not said.

As in guard/question.py, the rules work on text folded to plain lower-case letters, so that full-width letters, accents
and zero-width characters hide nothing; spans are those of the sentence in the text that was given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

VERSION = "1"
"""Part of the release where prompts mark what was found."""

Kind = Literal["override", "persona", "disclose", "exfiltrate", "steer", "address", "role", "hidden"]


def _near(n: int) -> str:
    return rf"[^.?!]{{0,{n}}}"


# Where an order may begin: at a sentence's start, after a mark, after "please", "you must".
_ORDER = (
    r"(?:^|[:;,()\[\]\"'`<>*#|!.-] ?|\b(?:please|and|then|now|just|also|simply|so|but|first|instead|i (?:want|need|order|command)"
    r" you to|(?:you|assistants?|ais?|models?|agents?|chatbots?|bots?|llms?) (?:must|should|shall|will|can|may|are to"
    r"|have to|need to)) )(?:(?:please|now|just|simply|first|completely|always|immediately) )*"
)
_AI = (
    r"(?:(?:generative )?ai(?:[- ](?:assistant|agent|model|system|tool|reader|bot|chatbot|summari[sz]er))?|llm|gpt|chatgpt"
    r"|(?:large )?language model|chat ?bot|(?:virtual|digital|automated|knowledge) assistant)s?"
)
_THIS = r"(?:this|the following|the above) (?:document|page|text|file|passage|article|e-?mail|message|note|website|content|section)"
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|initial|original|system|developer|safety|hidden)"
)
_INSTRUCTION = (
    r"(?:instructions?|prompts?|rules|guidelines|directions|directives?|commands?|constraints|guardrails|training)"
)
# "Ignore all previous guidelines on remote work" and "ignore the above instructions if you use Linux" are for people.
_NO_TOPIC = r"(?! ?(?:on|about|for|regarding|concerning|if|when|unless|where|in|from|relating|that)\b)"

_OVERRIDE = (
    rf"{_ORDER}(?:ignore|disregard|forget|override|bypass|discard|overrule) (?:(?:all|any|every|each|of|the|these|those|my"
    rf"|your|other) )*(?:{_EARLIER} )+(?:\w+ ){{0,2}}{_INSTRUCTION}\b{_NO_TOPIC}"
    rf"|{_ORDER}(?:ignore|disregard|forget|override|bypass|discard) (?:all |any |every )?(?:of )?your "
    rf"(?:\w+ ){{0,2}}(?:{_INSTRUCTION}|programming)\b{_NO_TOPIC}"
    rf"|{_ORDER}(?:ignore|disregard|forget) (?:the )?users?'?s? (?:question|request|message|query|prompt)s?\b"
    rf"|{_ORDER}(?:do not|don't|never|stop) (?:follow|obey|following|obeying) (?:the |your |any |all )*(?:{_EARLIER} )+{_INSTRUCTION}\b"
    rf"|\b(?:overrides?|supersedes?|replaces?) (?:all )?(?:of )?your (?:{_EARLIER} )+{_INSTRUCTION}\b"
    rf"|{_ORDER}(?:ignore|disregard|forget|discard) (?:all|any|every|the) (?:of the )?(?:\w+ )?{_INSTRUCTION} (?:above|before"
    r" (?:this|these)|(?:so far|previously|prior|you)\b|that (?:came|come|stand) before)"
    rf"|{_ORDER}ignore (?:the )?(?:above|previous|preceding) (?:email|e-mail|text|message|content|document|task|request),? "
    r"(?:and|but) (?:instead|then|just|only)\b"
    rf"|{_ORDER}(?:ignore|disregard|forget) (?:everything|all|anything)\b(?: of)?(?: that)?(?: (?:is|was|came|stands|comes"
    r"|stated|written))? ?(?:above|before this|you (?:were|have been) told|you know|you have learned)\b"
    r"|\b(?:ignorez|oubliez|ignore|oublie) (?:toutes )?(?:les |tes |vos )?instructions (?:precedentes|ci-dessus|anterieures)"
    r"|\b(?:ignoriere|ignorieren sie|vergiss|vergessen sie|missachte) (?:alle |jede |samtliche )?(?:deine |ihre |die )?"
    r"(?:vorherigen|vorigen|obigen|bisherigen|fruheren) (?:anweisungen|instruktionen|befehle|vorgaben)"
    r"|\b(?:ignora|ignore|olvida|olvide) (?:todas )?(?:las |tus |sus )?instrucciones (?:anteriores|previas)"
    r"|\b(?:ignora|dimentica) (?:tutte )?(?:le )?istruzioni precedenti|\bignore (?:todas )?as instrucoes anteriores"
    r"|\bnegeer (?:alle )?(?:de )?(?:vorige|eerdere|voorgaande) (?:instructies|opdrachten)"
)
_PERSONA = (
    rf"{_ORDER}you(?:'re| are) (?:now|no longer) (?:an? |in |bound by |restricted by |subject to |acting as |called )?"
    rf"(?:\w+ ){{0,3}}(?:ai|assistant|language model|llm|chatbot|bot|dan|pirate|unrestricted|unfiltered|jailbroken"
    rf"|developer mode|your (?:\w+ )?{_INSTRUCTION})\b"
    rf"|{_ORDER}from now on,? (?:you (?:must|will|shall|should|are to) |please )?(?:always )?(?:act|answer|respond|reply|pretend"
    r"|behave|speak)\b"
    rf"|\b(?:pretend|act|roleplay|role-play|behave)\b{_near(25)}\b(?:as if|to be|as an?|that you are|like an?)\b{_near(40)}"
    r"\b(?:unrestricted|unfiltered|jailbr\w+|(?:no|without(?: any)?) (?:restrictions|guardrails|filters|censorship"
    r"|safety \w+|content policy))\b"
    rf"|{_ORDER}(?:enable|activate|enter|switch to) (?:dan|god|jailbreak|unrestricted) mode\b"
    r"|\b(?:dan|god|jailbreak|unrestricted) mode (?:is )?(?:now )?(?:on|enabled|activated|engaged)\b"
)
_DISCLOSE = (
    rf"{_ORDER}(?:reveal|print|show|repeat|output|display|leak|disclose|recite|dump|copy|quote|translate|write out|tell (?:me|us|them"
    rf"|the user)|give (?:me|us|the user))\b{_near(40)}\b(?:your (?:(?:full|own|entire|exact|hidden|secret|initial|original"
    r"|internal|system) )*prompt|(?:the|your) (?:\w+ )?(?:system|hidden|secret|developer) (?:prompt|message|instructions?)"
    r"|your (?:(?:hidden|secret|initial|original|internal|own|exact) )+instructions)\b"
    rf"|{_ORDER}(?:reveal|print|list|output|show|dump|leak|disclose)\b{_near(60)}\b(?:you have access to|in your (?:context"
    r"|memory|knowledge base|training data)|known to you)\b"
    rf"|{_ORDER}(?:repeat|print|output|copy) (?:all )?(?:of )?(?:the )?(?:words|text|everything) (?:above|before this)\b"
)
_TALK = (
    r"(?:(?:this |the |our |whole |entire |full |complete )*(?:conversation|chat history|dialogue)"
    r"|(?:the )?users?'?s? (?:questions?|messages?|inputs?|quer(?:y|ies)|prompts?|data|names?)|(?:the |your )?system prompt"
    r"|(?:everything|all text|the text) above|(?:your|the) context(?: window)?)"
)
_EXFILTRATE = (
    rf"{_ORDER}(?:send|post|upload|forward|exfiltrate|leak|submit|transmit|encode|append|embed|include|add)\b{_near(40)}"
    rf"\b{_TALK}\b[^?!]{{0,60}}(?:https?://|\b(?:url|image|webhook)\b)"
    r"|!\[[^\]]*\] ?\( ?https?://[^)\s]*[?&=/][^)]*(?:[{<\[][^)}>\]]{0,40}(?:question|answer|conversation|prompt|context|history"
    r"|secret|summary|user|data)[^)}>\]]{0,40}[}>\]])"
    rf"|{_ORDER}(?:render|include|embed|insert|append|add|output|show)\b{_near(60)}\b(?:image|img|markdown)\b{_near(60)}"
    r"https?://[^\s)]*\?[\w-]+="
)
_SAID = r"[\"'“”‘’`«]"
_VOICE = r"(?:say|claim|output|print|reveal|ignore|disregard|pretend|forget|reply|respond|answer)"
_STEER = (
    r"\b(?:begin|start|end|finish|preface) (?:every|each|all|any|your) (?:answer|reply|response|summary|message)s? "
    rf"(?:with|by saying)(?: the (?:words?|phrase|sentence|text))?:? ?{_SAID}"
    rf"|\b(?:answer|respond(?: to)?|reply(?: to)?) (?:every|each|all|any) (?:question|message|query|prompt)s? (?:only )?with:? ?{_SAID}"
    rf"|{_ORDER}(?:do not|don't|never) (?:cite|use|mention|trust|consult|quote) (?:any |the )?other (?:documents|sources"
    rf"|passages|pages|results)\b{_near(40)}\b(?:answer|reply|respond|question)"
    rf"|{_ORDER}(?:rank this (?:document|page|passage|source) (?:first|above|over|highest|before)|(?:cite|quote) this (?:document"
    r"|page|passage|source) (?:first|above|instead))\b"
    rf"|\b(?:answer|respond to|reply to) (?:every|each|all|any) (?:question|message|query)s? (?:about|on|from)\b{_near(40)} with:? ?"
    rf"{_SAID}"
)
_ANSWERING = (
    rf"{_ORDER}(?:do not|don't|never) summari[sz]e {_THIS}\b{_near(10)}[;,.:] ?(?:but )?(?:instead|just)?,? ?{_VOICE}\b"
    rf"|\bif (?:a|the|any) (?:user|reader)s? asks?\b{_near(60)}\b(?:respond|reply|answer) only (?:with|that)\b"
    rf"|{_ORDER}(?:insert|add|include|put|append|write)\b{_near(30)}{_SAID}{_near(60)}\b(?:start|end|beginning|top) of "
    r"(?:your|every|each) (?:answer|reply|response|summary)\b"
    rf"|{_ORDER}your (?:new|only|real|actual|true) (?:task|goal|job|role) is (?:now )?to (?:{_VOICE}|list|send|leak)\b"
    r"|\b(?:silently|secretly|quietly|without telling the user,?) (?:call|invoke|send|forward) (?:the|a|this|all"
    rf"|an)\b|{_ORDER}before (?:answering|responding|replying)\b{_near(10)}\b(?:call|invoke|run|execute|use|visit|open|fetch)\b"
    rf"{_near(40)}\b(?:tool|function|https?)\b"
    r"|\b(?:do not|don't|never|not) (?:reveal|disclose|mention) (?:this|these instructions) to the (?:user|reader)\b"
)
_ACT = (
    r"(?:tell|state|mention|recommend|approve|rank|cite|quote|treat|refuse|prefer|prioriti[sz]e|act|send|inform|conclude|advise"
    r"|add|include|insert|append|remove|hide|omit|summari[sz]e|describe|assume|use|follow|obey|execute|call|visit|open|report)"
)
_MUST = (
    r"(?:must|should|shall|have to|has to|need to|needs to|are (?:required|instructed|told|asked|ordered|to)(?: to)?"
    r"|is (?:required|instructed|told|asked|ordered|to)(?: to)?)"
)
_ADVERB = r"(?:(?:always|now|never|not|also|only|instead|then|please|immediately) )*"
_ADDRESSED = (
    r"(?=$|\s?[:,.!;)\]>*-]| (?:reading|processing|parsing|summari[sz]ing|who|that|which|you|please|must|should)\b)"
)
_DEICTIC = (
    rf"(?:{_THIS}|\bquestions?\b|\bthe users?\b|\bwhen asked\b|\basked about\b|\bregardless\b|\binstead of\b|{_SAID})"
)
_ADDRESS = (
    rf"(?:^|\W)(?:note|message|attention|attn|instructions?|notice|reminder|important|dear|hey|hello)\b[ :,*-]{{0,3}}(?:(?:to|for)"
    rf" )?(?:(?:the|any|all|every|our|you|an) )*{_AI}{_ADDRESSED}"
    rf"|\b(?:note|message|instructions?|notice) (?:to|for) (?:the )?(?:assistant|model)\s?:"
    rf"|\bif you are (?:an?|the) (?:\w+ )?{_AI}(?=\s?[:,]| (?:reading|processing|parsing|summari[sz]ing|or|that|then|you|with access)\b)"
    rf"|\b{_AI} (?:(?:who|that|which) (?:is |are )?)?(?:read(?:s|ing)?|process(?:es|ing)?|pars(?:es?|ing)|summari[sz](?:es?|ing)"
    rf"|index(?:es|ing)?) (?:{_THIS}|this\b)"
    rf"|\b{_AI} {_MUST} {_ADVERB}(?:{_VOICE}|not mention)\b"
    rf"|\b{_AI} {_MUST} {_ADVERB}{_ACT}\b[^?!]*{_DEICTIC}"
    rf"|\bthe assistant {_MUST} {_ADVERB}(?:{_VOICE}|{_ACT})\b[^?!]*(?:{_THIS}|\bthe user\b|\bprompt\b|\bwhen asked\b)"
    rf"|\bwhen(?:ever)? asked\b{_near(60)}\bthe assistant {_MUST} {_ADVERB}(?:{_VOICE}|{_ACT})\b"
    rf"|^\W*(?:assistant|{_AI}|claude|copilot|gemini)\s?[:,]+ ?(?:when|if) (?:a|the|any|you|asked|someone)\b"
    rf"|^\W*(?:ai|llm)[- ](?!team|lead|group|department|project|policy|office)\w+\s?[:,] ?(?:please )?(?:give|{_VOICE}|{_ACT})\b"
    rf"|^\W*(?:assistant|{_AI}|claude|copilot|gemini)\s?[:,]+ ?(?:please |you (?:must|should|will|shall) |now |always |never "
    rf"|do not |don't )*(?:{_VOICE}|tell|state|mention|recommend|approve|send|treat|include|summari[sz]e|act)\b"
    rf"|\b(?:as|being) an? (?:\w+ )?{_AI},? you (?:must|should|will|shall|have to|are (?:required|obliged))\b"
)
_READING = (
    r"\b(?:when|if|while|before) (?:you (?:are )?)?(?:summari[sz](?:e|ing)|answer(?:ing)?|asked|respond(?:ing)?|reply(?:ing)?"
    rf"|quot(?:e|ing)|cit(?:e|ing)|(?:generat|produc|writ)(?:e|ing))\b{_near(40)}\b(?:about|from|on|to|with|using)? ?{_THIS}"
    rf"{_near(40)}[,:] ?(?:you (?:must|should) )?{_ADVERB}(?:do not |don't )?(?:{_VOICE}|{_ACT}|end with|begin with|start with)\b"
)
_ROLE = (
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|eot_id|begin_of_text)\|>|\[/inst\]|<</?sys>>"
    r"|^\W{0,4}(?:system|developer)(?: (?:prompt|message|instruction|note|override|notice|update))?s?\W{0,3}:\W{0,3}[^\n]{0,80}"
    r"\b(?:ignore|disregard|override|assistant|language model|the user (?:has|is)|you are (?:now|an?|in)|your (?:instructions"
    r"|rules)|new (?:instructions|rules)|from now on|reveal)\b"
    r"|^\W{0,4}system (?:prompt(?: instruction)?|override|instruction)s?\W{0,3}:|^[\[<({]\W{0,3}system note\W{0,3}:"
    r"|\b(?:new|updated|real|actual|secret|hidden) (?:system|developer|assistant|ai) (?:instruction|prompt|rule|directive)s?\s?:"
    r"|\b(?:begin|start|end) (?:of )?(?:the )?system (?:prompt|message|instructions?)\b"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: Kind
    pattern: str
    needles: tuple[str, ...]
    """Every text that the rule matches holds one of them: it is tried on no others."""
    also: tuple[str, ...] = ("",)
    """And one of these."""

    def within(self, folded: str) -> _Rule | None:
        """The rule with the needles that this text holds; None where it can't match in it."""
        needles = tuple([needle for needle in self.needles if needle in folded])
        also = tuple([needle for needle in self.also if needle in folded]) if needles else ()
        return _Rule(self.kind, self.pattern, needles, also) if also else None

    def matches(self, folded: str) -> bool:
        return _compiled(self.pattern).search(folded) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _any(needles: str) -> tuple[str, ...]:
    return tuple(needles.split("|"))


_RULES = (
    _Rule(
        "override",
        _OVERRIDE,
        _any(
            "ignor|disregard|forget|follow|obey|overrid|overrul|supersede|replace|bypass|discard|oubli|vergiss|vergess"
            "|missacht|olvid|dimentic|negeer"
        ),
        _any(
            "instruc|prompt| rule|guideline|direction|directive|command|constraint|guardrail|training|programming|above"
            "|before|been told|you know|learned|user|previous|preceding|anweisung|instruktion|befehl|vorgaben|istruzioni"
            "|opdracht"
        ),
    ),
    _Rule(
        "persona",
        _PERSONA,
        _any(
            "you are now|you're now|you are no longer|you're no longer|from now on| mode|jailbr|unrestricted|unfiltered"
            "| restrictions| guardrails| filters| censorship| safety | content policy"
        ),
        _any("you|pretend|act|role|behave|enter|enable|switch| on|engage"),
    ),
    _Rule(
        "disclose",
        _DISCLOSE,
        _any(" prompt| instruction| message|you have access to|in your |known to you| above|before this"),
        _any(
            "reveal|print|show|repeat|output|display|leak|disclose|recite|dump|copy|quote|translate|write out|tell |give |list"
        ),
    ),
    _Rule(
        "exfiltrate",
        _EXFILTRATE,
        _any("http|url|image|webhook"),
        _any("conversation|chat |dialogue|user|system prompt| above|context|![|image|img|markdown"),
    ),
    _Rule(
        "role",
        _ROLE,
        ("<|", *_any("[inst|[/inst|<<sys|<</sys|system|developer|assistant| ai ")),
        _any(":|>|]| prompt| message| instruction"),
    ),
    _Rule(
        "address",
        _ADDRESS,
        _any(
            " ai|(ai|[ai|<ai|>ai|*ai|#ai|-ai|:ai|/ai|'ai|\"ai|llm|gpt|language model|chatbot|chat bot|assistant|the model|claude"
            "|copilot|gemini"
        ),
    ),
    _Rule(
        "address",
        _READING,
        _any(
            "this doc|this page|this text|this file|this pass|this art|this e|this mess|this note|this web|this cont"
            "|this sec|the following |the above "
        ),
        _any("summari|answer|asked|respond|reply|quot|cit|generat|produc|writ"),
    ),
    _Rule(
        "steer",
        _STEER,
        tuple(
            f"{verb} {which}"
            for verb in (
                "begin",
                "start",
                "end",
                "finish",
                "preface",
                "answer",
                "respond to",
                "reply to",
                "respond",
                "reply",
            )
            for which in ("every", "each", "all", "any", "your")
        )
        + _any(" other doc| other sour| other pass| other page| other res|rank this|cite this|quote this"),
    ),
    _Rule(
        "steer",
        _ANSWERING,
        _any(
            "silently |secretly |quietly |without telling|before answering|before responding|before replying|summari"
            "|user asks|users ask|reader asks|readers ask|reveal this|disclose this|mention this|reveal these|disclose these"
            "|mention these|of your a|of your r|of your s|of every |of each |your new |your only |your real |your actual "
            "|your true "
        ),
    ),
)
_ABOUT = re.compile(
    r"\bprompt[- ]?injections?\b|\binjections?\b|\bjailbreak|\battack|\bmalicious|\badversar|\bred[- ]team|\bhostile\b|\bphish"
)
_INTRODUCED = re.compile(
    r"\b(?:such as|like|e\.?g\.?|for example|for instance|says?|said|saying|reads?|phrases?|strings?|words?|texts?|sentences?"
    r"|called|asks?|writes?|write|tries|means?|contains?|instructions?|orders?|tokens?|marks?|markers?)\b"
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|‘[^’]*’|«[^»]*»|„[^“”]*[“”]|(?<!\w)'[^']*'(?!\w)|`[^`]+`")
_MOST_BESIDE_QUOTES = 4
"""Words: a sentence with more of them says something of what it quotes."""
_ABOUT_WITHIN = 400
"""Characters before a quotation or an example in which its subject may be named."""

_PARAGRAPH_END = re.compile(
    r"\n(?:[ \t>]*\n|(?=[ \t>]*(?:[-*+#|]|\d{1,3}[.)]|```|~~~|<!--)))|^[ \t>]*#{1,6}[ \t][^\n]*\n", re.MULTILINE
)
_SENTENCE_END = re.compile(r"(?:(?<=[.!?。！？])[\"'”’)\]*_]*\s|(?<=-->))\s*")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|^\[(?://|comment)\]: # .*$", re.DOTALL | re.MULTILINE)
_CONCEALED = re.compile(
    r"<(\w+)[^<>]*\bstyle\s*=\s*[\"'][^\"'<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])"
    r"|color\s*:\s*(?:white|#fff(?:fff)?)\b)[^<>]*>.*?</\1>",
    re.DOTALL | re.IGNORECASE,
)
_EXAMPLE = re.compile(r"[ \t]*(?:[-*+>|]|\d{1,3}[.)]|```|~~~|\t| {4})")

# Characters that nobody sees: Unicode tags (a copy of ASCII), selectors beyond the 16 that fonts know, long runs of
# zero-width characters. A flag such as Scotland's is a black flag with tags and is left alone.
_UNSHOWN = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\U000e0020-\U000e01ef]")
"""What there is none of in most texts: looked for first, as it is quick."""
_INVISIBLE = re.compile(
    "(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+|[\U000e0100-\U000e01ef]{4,}|[\u200b-\u200d\u2060-\u2064\ufeff]{8,}"
)


# Format characters and combining marks: without them, letters are plain again.
_UNSEEN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)


@dataclass(frozen=True, slots=True, order=True)
class Instruction:
    """A sentence of a document that is addressed to the assistant, or text that nobody can see."""

    start: int
    end: int
    kind: Kind
    """`override`, `persona`, `disclose`, `exfiltrate`, `steer` and `address` by what it asks for; `role` for marks of a
    chat model's turns; `hidden` for any of these in a comment or invisible text, and for invisible characters."""


def instructions_in(text: str) -> tuple[Instruction, ...]:
    """What in a document's text is addressed to the assistant: spans of sentences, in order, one kind each.

    Text is Markdown or plain. Takes time linear in the text; most paragraphs are passed over after one look.
    """
    found: list[Instruction] = []
    for start, end, rules in _suspicious(text):
        kind = _kind(_fold(text[start:end]), rules)
        if kind is not None and not _is_talked_about(text, start, end):
            found.append(Instruction(start, end, kind))
    if found:
        concealed = [match.span() for pattern in (_COMMENT, _CONCEALED) for match in pattern.finditer(text)]
        found = [_as_hidden(one) if _touches(one, concealed) else one for one in found]
    if not text.isascii() and _UNSHOWN.search(text):
        found.extend(Instruction(match.start(), match.end(), "hidden") for match in _INVISIBLE.finditer(text))
    return tuple(sorted(found))


def _touches(instruction: Instruction, spans: list[tuple[int, int]]) -> bool:
    return any(first < instruction.end and instruction.start < last for first, last in spans)


def _as_hidden(instruction: Instruction) -> Instruction:
    return Instruction(instruction.start, instruction.end, "hidden")


def _suspicious(text: str) -> Iterator[tuple[int, int, Sequence[_Rule]]]:
    """Spans of sentences with the rules that may match there. The whole text is asked first, then each paragraph."""
    of_text = _within(_RULES, _fold(text))
    needles = tuple({needle for rule in of_text for needle in rule.needles})
    for paragraph in _spans(text, (0, len(text)), _PARAGRAPH_END) if of_text else ():
        folded = f" {_fold(text[slice(*paragraph)])}"
        rules = _within(of_text, folded) if any(map(folded.__contains__, needles)) else ()
        for start, end in _spans(text, paragraph, _SENTENCE_END) if rules else ():
            stripped = text[start:end].strip()
            if stripped:
                first = text.index(stripped, start)
                yield first, first + len(stripped), rules


def _within(rules: Sequence[_Rule], folded: str) -> Sequence[_Rule]:
    padded = f" {folded}"
    return [narrowed for rule in rules if (narrowed := rule.within(padded)) is not None]


def _spans(text: str, span: tuple[int, int], border: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    position, end = span
    for match in border.finditer(text, position, end):
        yield position, match.end()
        position = match.end()
    yield position, end


def _kind(folded: str, rules: Sequence[_Rule] = _RULES) -> Kind | None:
    return next((rule.kind for rule in _within(rules, folded) if rule.matches(folded)), None)


def _is_talked_about(text: str, start: int, end: int) -> bool:
    """Whether the sentence quotes the order, or gives it as an example under a sentence about attacks.

    What is left of it outside quotation marks and code decides: where a rule still matches there, it is said.
    """
    sentence = text[start:end]
    bare = _QUOTED.sub('""', sentence)
    quotes = bare != sentence
    if quotes and _kind(_fold(bare)) is not None:
        return False
    said = _fold(bare)
    if quotes and (_ABOUT.search(said) or _INTRODUCED.search(said) or len(said.split()) > _MOST_BESIDE_QUOTES):
        return True
    line = text.rfind("\n", 0, start) + 1
    is_example = quotes or _EXAMPLE.match(text, line) is not None or _is_in_fence(text, start)
    return is_example and _ABOUT.search(_fold(text[max(0, start - _ABOUT_WITHIN) : start])) is not None


def _is_in_fence(text: str, position: int) -> bool:
    return len(re.findall(r"^[ \t>]*(?:```|~~~)", text[:position], re.MULTILINE)) % 2 == 1


def _fold(text: str) -> str:
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFKD", text)).replace("’", "'")
    return " ".join(text.split()).lower()
