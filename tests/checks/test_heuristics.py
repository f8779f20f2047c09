"""The rules that look at every answer: each finds its fault, and leaves what only looks like one alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ken.checks.heuristics.answered import Answered, Given
from ken.checks.heuristics.examine import NAMES, Examiner
from ken.checks.heuristics.standards import Length, Standards
from ken.domain.answer import Citation

PASSAGE = Given(
    id="rules/leave.md#p0",
    start=100,
    end=400,
    text="Everyone has **27 working days** of leave a year. A request takes up to half an hour, and 1,500 people made one. "
    "Twelve days may be carried over. I think that rest is work, says the founder.",
    about="Leave > Days 2026-03-01 People",
)
SENTENCE = "Everyone has 27 working days of leave a year."
TOLD = "Everyone has 27 working days of leave, and you can take them when you like to."
ENGLISH = "How many days of leave do we have in the first year?"


def cited(text: str, *sentences: str, quote: str = "27 working days") -> Answered:
    """An answer whose sentences cite the passage, each as [1]."""
    at = [(text.index(sentence), text.index(sentence) + len(sentence)) for sentence in sentences]
    citations = tuple(a_citation(span, quote=quote) for span in at)
    return Answered(text=text, task_type="lookup", question=ENGLISH, citations=citations, passages=(PASSAGE,))


def a_citation(span: tuple[int, int], *, number: int = 1, quote: str = "27 working days") -> Citation:
    return Citation(
        number=number,
        answer_start=span[0],
        answer_end=span[1],
        document_id="rules/leave.md",
        document_title="Leave",
        passage_id=PASSAGE.id,
        version="v1",
        start=115,
        end=130,
        quote=quote,
        support=1.0,
    )


GOOD = cited(f"{SENTENCE} [1]", SENTENCE)


def found(answered: Answered, standards: Standards | None = None) -> dict[str, str]:
    """The faults of an answer: rule and detail."""
    return {fault.rule: fault.detail for fault in Examiner(standards).examine(answered).faults}


def said(text: str, **changes: object) -> Answered:
    """An answer that was made from no passage."""
    return replace(Answered(text=text, task_type="lookup", question=ENGLISH), **changes)  # type: ignore[arg-type]


def test_a_good_answer_has_no_fault() -> None:
    """Every rule that has something to look at looks, and finds nothing."""
    examined = Examiner().examine(GOOD)
    assert examined.faults == ()
    assert set(NAMES) - set(examined.checked) == {"json_schema", "required_fields", "steps", "language"}


@pytest.mark.parametrize("outcome", ["abstained", "refused", "asked_back", "failed"])
def test_what_is_no_answer_is_not_looked_at(outcome: str) -> None:
    """An abstention is worded by Ken, and held to nothing."""
    assert Examiner().examine(replace(GOOD, outcome=outcome)).checked == ()


@pytest.mark.parametrize(
    ("rule", "text", "fires"),
    [
        ("hedging", "I think it is 27 days.", True),
        ("hedging", "It is 27 days, but I’m not sure.", True),
        ("hedging", "Ich glaube, es sind 27 Tage.", True),
        ("hedging", "The founder says “I think it is 27 days”.", False),
        ("hedging", "Run `echo I think so` first.", False),
        ("hedging", "> I think it is 27 days.", False),
        ("hedging", "The manager may think about it; usually it is granted.", False),
        ("hedging", "Radii think nothing.", False),
        ("refusal", "I'm sorry, but I can't help with that.", True),
        ("refusal", "I cannot answer this from the passages.", True),
        (
            "refusal",
            f"{SENTENCE} {'It is granted by the team lead. ' * 12}There is no information about Sundays.",
            False,
        ),
        ("refusal", "The system says “I can't help you”: then call the desk.", False),
        ("forbidden_phrase", "As an AI language model, I have no leave.", True),
        ("forbidden_phrase", "According to the provided context, it is 27 days.", True),
        ("forbidden_phrase", "As an aide to the team, you have 27 days.", False),
        ("clean_text", "It is 27 days.<|im_end|>", True),
        ("clean_text", "Run this:\n```sh\nleave ask", True),
        ("clean_text", "Run this:\n```sh\nleave ask\n```\nand <b>wait</b>.", False),
        ("clean_text", "It is 27 d\ufffdys.", True),
        ("length", " ".join(["word"] * 401), True),
        ("length", " ".join(["word"] * 400), False),
        ("language", "Sie haben im Jahr 27 Tage Urlaub, und die Tage werden nach dem Kalender gezählt.", True),
        ("language", "27.", False),
    ],
)
def test_wording_and_form(rule: str, text: str, *, fires: bool) -> None:
    """What an answer says by itself counts; what it quotes, and what only resembles a fault, does not."""
    assert (rule in found(said(text))) is fires


def test_a_sentence_of_a_passage_is_no_hedge_of_the_answer() -> None:
    """A document may think what it likes: what is quoted from it word for word is not the answer's own doubt."""
    quoted = "I think that rest is work, says the founder."
    assert "hedging" not in found(cited(f"{quoted} [1]", quoted))
    own = "I think that rest is 27 days."
    assert "hedging" in found(cited(f"{own} [1]", own))


@pytest.mark.parametrize(
    ("question", "answer", "fires"),
    [
        ("Wie viele Tage Urlaub haben wir in dem ersten Jahr?", TOLD, True),
        (ENGLISH, TOLD, False),
        ("can i go part-time after a year", "You can go on part-time when you have been with us for a year.", False),
        ("xyz-55 err 7?", SENTENCE, False),
    ],
)
def test_the_language_is_the_questions(question: str, answer: str, *, fires: bool) -> None:
    """Where both can be told; a question of a few short words is in no language for certain."""
    assert ("language" in found(said(answer, question=question))) is fires


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("It is 27 days, and 1500 people asked.", ""),
        ("It is 27 days since 1 March 2026.", ""),
        ("It takes up to 30 minutes.", ""),
        ("12 days may be carried over.", ""),
        ("Twelve days may be carried over.", ""),
        ("It is 28 days.", "28"),
        ("It takes up to 45 minutes.", "45"),
        ("1,600 people asked.", "1,600"),
        ("Fourteen days may be carried over.", "fourteen"),
    ],
)
def test_figures_stand_in_the_passages(sentence: str, missing: str) -> None:
    """Separators, words and units don't matter; a figure that isn't there does, and the asker is told which."""
    examined = Examiner().examine(cited(f"{sentence} [1]", sentence))
    told = [fault.detail for fault in examined.faults if fault.rule == "figure" and fault.is_told]
    assert told == ([f"has figures that no passage has: {missing}"] if missing else [])


def test_figures_of_the_question_and_of_a_list_are_known() -> None:
    """What was asked about may be repeated, and steps have numbers."""
    text = "1. Ask for the 33 days. [1]\n2. Wait. [1]"
    asked = cited(text, "Ask for the 33 days.", "Wait.")
    assert "figure" in found(asked)
    assert "figure" not in found(replace(asked, question="May I take 33 days at once?"))


@pytest.mark.parametrize(
    ("rule", "answered"),
    [
        ("citation_span", replace(GOOD, citations=(a_citation((0, 400)),))),
        ("citation_span", replace(GOOD, citations=(replace(a_citation((0, 45)), start=90),))),
        ("citation_span", replace(GOOD, citations=(replace(a_citation((0, 45)), passage_id="rules/pay.md#p0"),))),
        ("citation_quote", cited(f"{SENTENCE} [1]", SENTENCE, quote="27 calendar days")),
        ("citation_number", cited(f"{SENTENCE} [2]", SENTENCE)),
        ("citation_number", cited(f"{SENTENCE} [1] [2]", SENTENCE)),
        ("citation_number", cited(SENTENCE, SENTENCE)),
        ("uncited_sentence", cited(f"{SENTENCE} [1] Dogs may sleep in the office.", SENTENCE)),
    ],
)
def test_citations_are_valid(rule: str, answered: Answered) -> None:
    """Spans lie inside, quotations are the passage's words, markers and citations match, and no sentence is without."""
    assert rule in found(answered)


def test_what_leads_to_a_citation_needs_none() -> None:
    """A lead-in, what is said of a source, and the line of dates rest on the documents themselves."""
    text = f"“Leave” (as of 1 March 2026, People): {SENTENCE} [1]\n\nAs of 1 March 2026 [1]."
    assert found(cited(text, SENTENCE)) == {}
    marks = cited("```\nvalues[4]\n``` [1] [1]", "```\nvalues[4]\n```")
    assert "citation_number" not in found(marks)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1. Ask.\n2. Wait.\n3. Go.", ""),
        ("1. Ask.\n2. Wait.\n4. Go.", "goes from step 2 to step 4"),
        ("For staff:\n1. Ask.\n2. Wait.\n\nFor guests:\n1. Ring.\n2. Go.", ""),
        ("Ask. Wait. Go.", ""),
        (
            "You ask. They look. They sign. You wait. They post it. You leave.",
            "tells how to do something in 6 sentences",
        ),
        ("First you ask. They look. They sign. You wait. They post it. Then you leave.", ""),
        ("- You ask.\n- They look.\n- They sign.\n- You wait.\n- They post it.\n- You leave.", ""),
    ],
)
def test_procedures_have_steps(text: str, fault: str) -> None:
    """Numbered steps count on, a long way to do something is told in steps, and a short one needs none."""
    assert found(said(text, task_type="procedure")).get("steps", "").startswith(fault)
    assert bool(fault) == ("steps" in found(said(text, task_type="procedure")))
    assert "steps" not in found(said(text))


def test_the_operators_standards_count() -> None:
    """Forbidden phrases, also in quotations; lengths; required fields of text; and rules that are off."""
    own = Standards(
        forbidden=("Project Heron",),
        lengths={"lookup": Length(1, 5)},
        required={"lookup": ("Owner", "Status")},
        off=frozenset({"hedging"}),
    )
    faults = found(said("Owner: People\nI think “project  heron” ends. project heron is over."), own)
    assert set(faults) == {"forbidden_phrase", "length", "required_fields"}
    assert faults["required_fields"] == "lacks Status"
    assert "hedging" not in Examiner(own).names


TICKET = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "kind": {"enum": ["bug", "wish"]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "maxItems": 2, "uniqueItems": True},
        "owner": {"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]},
    },
    "required": ["id", "kind"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": "string", "maxLength": 4}},
}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"id": 1, "kind": "bug", "tags": ["ui", "slow"], "owner": null}', ""),
        ('{"id": 1.0, "kind": "bug"}', ""),
        ('{"kind": "bug"}', "id is missing"),
        ('{"id": true, "kind": "bug"}', "id is not of the type integer"),
        ('{"id": 0, "kind": "bug"}', "id is too small"),
        ('{"id": 1, "kind": "idea"}', "kind is none of the values that it may have"),
        ('{"id": 1, "kind": "bug", "tags": ["endless"]}', "tags[0] has 7 characters, more than 4"),
        ('{"id": 1, "kind": "bug", "tags": ["ui", "ui"]}', "tags has an entry twice"),
        ('{"id": 1, "kind": "bug", "owner": "x"}', "owner fits none of `anyOf`"),
        ('{"id": 1, "kind": "bug", "more": 1}', "more may not be there"),
        ("[1]", "is JSON, and no object"),
        ('```json\n{"id": 1}\n```', "is no JSON"),
        ('{"id": 1, "kind": "bu', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_json_is_of_the_schema_that_was_asked_for(text: str, fault: str) -> None:
    """The first misfit is named with its place."""
    checked = Examiner().of_call(text, TICKET, calls_tools=False)
    assert ("json_schema" in checked.failed) is bool(fault)
    assert "json_schema" in checked.checked
    assert found(said(text, schema=TICKET)).get("json_schema", "").startswith(fault)


def test_a_schema_that_refers_to_itself_ends() -> None:
    """A tree of any depth is looked through, and a reference that leads nowhere asks for nothing."""
    tree = {"type": "object", "properties": {"in": {"$ref": "#"}, "at": {"$ref": "#/nowhere"}}}
    deep = '{"in": ' * 200 + "{}" + "}" * 200
    assert Examiner().of_call(deep, tree, calls_tools=False).failed == ()
    assert found(said('{"in": {"in": 1}}', schema=tree)) == {"json_schema": "in.in is not of the type object"}
    assert Examiner().of_call("{}", {"$ref": "#"}, calls_tools=False).failed == ()


def test_an_applications_call_is_held_to_what_it_asked_for() -> None:
    """No citations, no hedging, no language; an empty text is a fault unless tools are called."""
    examiner = Examiner(Standards(required={"door": ("customer.id",)}))
    assert examiner.of_call("", None, calls_tools=False).failed == ("length",)
    assert examiner.of_call("", None, calls_tools=True).failed == ()
    assert Examiner().of_call("I think that Wien ist schön, 42.", None, calls_tools=False).failed == ()
    named = json.dumps({"customer": {"id": 7}})
    assert examiner.of_call(named, {}, calls_tools=False).failed == ()
    assert examiner.of_call('{"customer": {}}', {}, calls_tools=False).failed == ("required_fields",)


@pytest.mark.parametrize(
    "text",
    [
        "[1] " * 6_000,
        "“" * 20_000,
        "`" * 20_000,
        "1,000," * 4_000,
        "1. " * 8_000,
        ". " * 10_000,
        "ß" * 20_000,
        "> " * 9_000,
    ],
)
def test_no_text_keeps_the_rules_busy(text: str) -> None:
    """Strange texts are gone through once: no rule looks twice at every place for every place."""
    examined = Examiner().examine(replace(cited(f"{SENTENCE} I think. {text}", SENTENCE), task_type="procedure"))
    assert "hedging" in examined.checked
    assert re.fullmatch(r"\w+", examined.checked[0])
