"""All rules in one order, and the one function that has them look at an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ken.checks.heuristics import citing, figures, shape, speech, wording
from ken.checks.heuristics.answered import Answered, Door, Examined, Fault, Rule
from ken.checks.heuristics.standards import DOOR, Standards
from ken.domain.checked import Checked
from ken.domain.wire import Json

_BOTH: frozenset[Door] = frozenset({"assistant", "gateway"})

RULES: tuple[Rule, ...] = (
    Rule(name="json_schema", meaning="isn't the JSON that was asked for", find=shape.json_schema, doors=_BOTH),
    Rule(name="required_fields", meaning="lacks a field that is required", find=shape.required_fields, doors=_BOTH),
    Rule(
        name="clean_text",
        meaning="holds control tokens, broken characters or an open block of code",
        find=shape.clean,
        doors=_BOTH,
    ),
    Rule(name="length", meaning="is shorter or longer than its task type is", find=shape.length, doors=_BOTH),
    Rule(name="forbidden_phrase", meaning="says what no answer should", find=wording.forbidden, doors=_BOTH),
    Rule(name="hedging", meaning='doubts itself: "I think", "I\'m not sure"', find=wording.hedging),
    Rule(name="refusal", meaning="refuses, and went out as an answer", find=wording.refusal, doors=_BOTH),
    Rule(name="steps", meaning="is a procedure without steps, or with a gap in them", find=shape.steps),
    Rule(name="language", meaning="is in another language than the question", find=speech.language),
    Rule(name="citation_span", meaning="has a citation that points outside", find=citing.spans),
    Rule(name="citation_quote", meaning="quotes words that the passage doesn't have", find=citing.quotes),
    Rule(name="citation_number", meaning="has citations whose numbers don't match its markers", find=citing.numbers),
    Rule(name="uncited_sentence", meaning="says something without a source", find=citing.uncited),
    Rule(
        name="figure",
        meaning="has a figure that neither the passages nor the question have",
        find=figures.figures,
        is_told=True,
    ),
)
NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)


class Examiner:
    """The rules that run here, with what is expected of answers."""

    def __init__(self, standards: Standards | None = None, *, rules: Sequence[Rule] = RULES) -> None:
        given = standards or Standards()
        self.standards = replace(given, forbidden=wording.folded_phrases(given.forbidden))
        self._rules = {
            door: tuple(rule for rule in rules if door in rule.doors and rule.name not in given.off) for door in _BOTH
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The rules that look at answers of either kind."""
        running = {rule.name for rules in self._rules.values() for rule in rules}
        return tuple(name for name in NAMES if name in running)

    def examine(self, answered: Answered) -> Examined:
        """Have every rule look at an answer."""
        checked: list[str] = []
        faults: list[Fault] = []
        for rule in self._rules[answered.door]:
            finding = rule.find(answered, self.standards)
            if finding is None:
                continue
            checked.append(rule.name)
            if finding:
                faults.append(Fault(rule.name, finding, rule.is_told))
        return Examined(tuple(checked), tuple(faults))

    def of_call(self, text: str, schema: Mapping[str, Json] | None, *, calls_tools: bool) -> Checked:
        """What an application's call of a model got, against what it asked for."""
        call = Answered(text=text, task_type=DOOR, schema=schema, calls_tools=calls_tools, door="gateway")
        return self.examine(call).told
