"""What a question asks for: a duration, a person, a reason, a yes or no ... and whether two questions ask for the same."""

from __future__ import annotations

import re

_TIME_UNIT = r"(?:seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?|quarters?|fortnights?)"
_OF = r"(?:\w+[\s-]){0,3}?"
_AUX = (
    r"(?:do|does|did|can|could|may|might|must|should|shall|will|would|is|are|am|was|were|has|have|had|isn't|aren't|don't|doesn't"
    r"|can't|couldn't|won't|shouldn't|mustn't|need(?= (?:i|we|you)\b))"
)

# In this order: the first that is found at the earliest place counts.
_FORMS: tuple[tuple[str, str], ...] = (
    (
        "frequency",
        rf"how (?:often|frequently|regularly)|how many times|(?:at )?(?:what|which) (?:intervals?|frequency)|what(?:'s| is) the {_OF}(?:frequency|interval)",
    ),
    ("age", r"how old|(?:at )?what age|what(?:'s| is) the (?:minimum |maximum )?age"),
    ("distance", r"how far(?! (?:in advance|ahead|back|along|do i have to go))|(?:what|which) distance"),
    (
        "lead",
        r"how (?:far|long|early|soon|many \w+) (?:in advance|ahead|before\w*|prior)|how much notice|how much (?:lead|advance) \w+|how early",
    ),
    (
        "duration",
        rf"how long(?! \w+ (?:is|are) the (?:cable|text))|how (?:quickly|fast|soon|much (?:longer|time))|(?:for|within|after|in) how (?:many|much) {_OF}{_TIME_UNIT}|how many {_TIME_UNIT}(?! (?:of|off|can|may|do i get))|what(?:'s| is|s) the {_OF}(?:duration|length|term|turnaround(?: time)?|waiting time|time ?frame|retention)\b|(?:until|till) when|since when|what(?:'s| is) the (?:time limit|notice period|probation\w* period)",
    ),
    ("share", r"(?:what|which) (?:percentage|share|proportion|fraction|percent)|how many percent|what(?:'s| is) the (?:percentage|share|proportion)"),
    ("count", r"how many|(?:what|which) (?:number|quantity)|what(?:'s| is) the (?:\w+ )?number of"),
    (
        "cost",
        rf"how (?:much|expensive|cheap|costly) (?:is|are|does|do|did|will|would|must|should)? ?(?:\w+ ){{0,8}}?(?:cost|costs|pay|paid|charged?|price|fee|set \w+ back)\b|(?:what|which) (?:(?:is|are|'s) the )?{_OF}(?:price|costs?|fees?|charges?|rates?)\b|what (?:does|do|will|would|did|is|are) {_OF}(?:\w+ ){{0,6}}(?:cost|charged)\b|how (?:expensive|costly|cheap)|what's the {_OF}(?:price|cost|fee|charge|rate)\b",
    ),
    (
        "amount",
        r"how much|how (?:big|large|heavy|high|tall|wide|deep|small|low|strong|loud|hot|cold|fast|generous)|what(?:'s| is| are) the (?:\w+ ){0,3}?(?:amount|size|limit|maximum|minimum|max|min|quota|allowance|budget|cap|threshold|percentage|capacity|ceiling|rate|share)|(?:what|which) (?:percentage|share|size|amount|proportion)",
    ),
    (
        "time",
        r"when(?!ever)|(?:at |under |in )?(?:what|which) (?:points?|circumstances|conditions|cases|\w+ day)\b|(?:by |at |on |until |from )?(?:what|which) (?:time|date|day|month|weekday|year|hour)s?\b|what(?:'s| is| are) the (?:\w+ ){0,3}?(?:deadline|due date|cut-?off|dates?|start date|end date|(?:opening|business|office|working) hours)|how (?:late|soon)",
    ),
    (
        "person",
        r"who(?:m|se|'s)?(?:ever)?|(?:to |with |from |by |for )?(?:what|which) (?:\w+ )?(?:person|people|team|department|role|manager|colleague|group|employee|contact|office holder|approver|owner|unit)s?\b|what(?:'s| is) the name of the|anyone who",
    ),
    (
        "place",
        r"where|(?:in |at |on |to |from |under )?(?:what|which) (?:\w+ )?(?:room|floor|building|folder|place|location|page|channel|site|address|office|drive|directory|portal|website|url|menu|shelf|cabinet|city|country|system)s?\b|what(?:'s| is) the (?:\w+ ){0,2}?(?:location|address|url|link|path)",
    ),
    (
        "reason",
        r"why|how come|(?:for )?(?:what|which) reasons?|what(?:'s| is| are| was| were)? (?:the )?(?:\w+ )?(?:reasons?|causes?|caused|rationale|motivation|grounds)\b|what (?:makes|made|leads to)|what(?:'s| is) the point",
    ),
    (
        "purpose",
        r"what (?:is|are|'s) (?:[\w-]+ ){0,5}?for(?=\W*$)|what does (?:[\w-]+ ){1,5}?do(?=\W*$)|what(?:'s| is| are) (?:the )?(?:\w+ )?(?:purpose|point|use|function) of|what (?:is|are|'s) (?:[\w-]+ ){0,5}?used for",
    ),
    (
        "consequence",
        r"what (?:happens|will happen|would happen|comes next|follows|are the consequences|is the (?:consequence|penalty|result))|what (?:do i|should i|can i|to) (?:do )?(?:if|when)\b(?! happens)|what(?:'s| is| are) the (?:consequences?|penalt(?:y|ies)|sanctions?|results?|outcomes?)|what (?:now|next)\b|what if",
    ),
    (
        "manner",
        r"how (?=(?:do|does|did|can|could|should|would|to|is|are|am|must|will|might|may|shall|exactly|best|about|has|have|was|were|i|we|you|one)\b)|(?:in )?(?:what|which) (?:way|manner|steps?)\b|what(?:'s| is| are) (?:the )?(?:\w+ ){0,2}?(?:process|procedure|steps?|way|workflow|method|best way|instructions?|how-?to)\b|what (?:do i|do we|should i|must i|should we|can i|does one|do you|has to|have i) (?:have |need )?(?:to )?(?:do|be done)|what should i do|what steps|what to do|steps (?:to|for)|instructions (?:for|to|on)|(?:a |the )?(?:guide|walkthrough|way) (?:to|for|of)|show me how|which (?:process|procedure)|is there (?:\w+ ){1,3}?(?:way|possibility|option) (?:to|of|for)",
    ),
    (
        "meaning",
        r"what (?:does|do) .{1,60}? (?:mean|stand for|refer to)|what(?:'s| is) (?:meant by|the (?:meaning|definition) of)|define|definition of|(?:the )?meaning of|is short for",
    ),
    (
        "difference",
        r"what(?:'s| is| are)? (?:the )?differen\w+|how (?:do|does|is|are) .{1,80}? (?:differ|different)\b|difference between|compare",
    ),
    (
        "which",
        r"(?:what|which)(?= (?!(?:is|are|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had|if|about|to|in|on|of|i|we|you|they|the|a|an|comes?|happens|stands|goes|else|exactly|kind|sort|type|applies|counts|belongs|makes|needs?|causes?|helps?|you|it)\b)\w)",
    ),
    ("thing", r"(?:what|which)\b"),
    ("yes or no", rf"{_AUX}\b(?!')"),
)
_PATTERNS = tuple((name, re.compile(rf"(?<![\w'-]){pattern}", re.IGNORECASE)) for name, pattern in _FORMS)
_LEAD_IN = re.compile(
    r"^(?:(?:hi|hello|hey|please|quick question|sorry|excuse me|so|and|but|well|ok|okay|also|then|just|now)\b[\s,:;!.-]*)*"
    r"(?:(?:can|could|would|will) (?:you|someone|anybody|anyone|somebody) (?:please |kindly |possibly )?"
    r"(?:tell|explain|say|show|help|clarify|remind|let|point|give|describe)(?: to)?(?: me| us)?(?: know| understand| out)?"
    r"|(?:do|does|would) (?:you|anyone|anybody|someone|somebody) (?:happen to )?(?:know|remember|have any idea)"
    r"|(?:i|we)(?:'d| would) (?:like|love|need) to (?:know|find out|understand|ask|learn)|i (?:want|need|have|am trying|'m trying) to (?:know|find out|understand|ask|learn)"
    r"|i(?:'m| am| was|'ve been)? (?:just )?wonder(?:ing)?|i(?:'m| am) (?:not sure|unsure|curious|unclear|asking|confused)(?: about)?|tell (?:me|us)"
    r"|please (?:tell|explain|say|clarify|let me know)(?: me| us)?|any (?:idea|clue|chance you know)|remind me|explain(?: to me| to us)?"
    r"|is it (?:clear|known|documented|defined|written down|specified)(?: anywhere| somewhere)?|what i want to know is|my question is|let me know|describe)"
    r"(?: again)?(?=\W)[\s,:-]*",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"^(?:if|whether)\b", re.IGNORECASE)
_SUBORDINATE = re.compile(
    rf"^(?:if|when|whenever|after|before|while|once|since|because|as|in case|where|for|during|given|assuming|suppose|supposing|say|with|without)\b(?! {_AUX}\b)(?! how| what| which)[^,?]*,\s*(?=\S)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|when|once|after|before|while|unless|because|since|that|which|who|where|whenever|as soon as)\b",
    re.IGNORECASE,
)

_ALIKE = {
    frozenset(pair)
    for pair in (
        ("duration", "count"), ("duration", "time"), ("duration", "lead"), ("lead", "time"), ("lead", "count"), ("lead", "amount"), ("share", "amount"), ("share", "count"), ("share", "thing"),
        ("count", "amount"), ("amount", "cost"), ("age", "count"), ("age", "amount"), ("age", "time"), ("distance", "amount"),
        ("which", "thing"), ("which", "time"), ("age", "duration"), ("which", "amount"), ("which", "count"), ("which", "person"), ("which", "place"), ("which", "cost"), ("which", "meaning"),
        ("meaning", "thing"), ("purpose", "thing"), ("purpose", "reason"), ("purpose", "meaning"), ("purpose", "manner"),
        ("consequence", "manner"), ("difference", "thing"), ("difference", "manner"), ("thing", "amount"), ("thing", "count"), ("thing", "cost"),
        ("thing", "duration"), ("thing", "consequence"), ("thing", "manner"), ("which", "manner"), ("thing", "distance"), ("thing", "age"),
        ("thing", "time"), ("thing", "lead"), ("frequency", "count"), ("place", "manner"),
    )
}  # fmt: skip
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
    if before[-1] in ",:;-–—.!?)" or re.search(r"\b(?:and|but|so|then)$", before, re.IGNORECASE):
        return not (
            name in {"time", "person", "place", "thing"}
            and re.match(r"(?:when|where|who|which)\b", sentence[at:], re.IGNORECASE)
            and re.match(_AUX + r"\b", before, re.IGNORECASE)
        )
    if name == "yes or no":
        return False
    # "my manager is called what", "for how long", "notice is how long": a question word that nothing but its preposition precedes
    return re.fullmatch(
        r"(?:for|in|at|on|by|to|from|until|since|after|within|with|of|under|about|against|up to)", before, re.IGNORECASE
    ) is not None or (
        re.search(_CONDITION, before) is None
        and re.search(_AUX + r"\b", before, re.IGNORECASE) is None
        and name not in {"time", "place", "person", "thing"}
    )


def differ(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two questions surely ask for different things."""
    if OPEN in a or OPEN in b or a & b:
        return False
    return not any(frozenset({one, other}) in _ALIKE for one in a for other in b)
