"""Assemble through the public door: how the window is split, what is told in short, and that no text becomes a template."""

from __future__ import annotations

import pytest

from ken.domain.answer import Message
from ken.domain.call import Scalar
from ken.prompts.template import Template, templates
from ken.wiring import Ken
from tests.assistant.corpus import LIT, QUESTION, assistant, says, tell, trace_of

_ROOM = 2000


def turns(count: int, *, words: int = 3) -> tuple[Message, ...]:
    """A conversation of so many turns, each about something of its own."""
    pairs = (
        (
            Message("user", f"Where is buoy {at}?"),
            Message("assistant", f"Buoy {at} lies {'far ' * words}out. [1] It is red."),
        )
        for at in range(count)
    )
    return tuple(message for pair in pairs for message in pair)


def assembled(ken: Ken, told: object) -> dict[str, Scalar]:
    """What the assemble span says."""
    spans = {span.name: dict(span.attributes) for span in trace_of(ken, told).spans}  # pyright: ignore[reportArgumentType]
    return spans["assemble"]


async def test_turns_before_the_window_are_told_in_short(ken: Ken) -> None:
    """Their questions and the first sentence of their answers stand behind the passages; the window's turns go along whole."""
    model = says(LIT)
    await tell(assistant(ken, model), QUESTION, history=turns(8))
    system, *window, _ = model.requests[0].messages
    assert len(window) == 10
    for at in range(3):
        assert f"- Asked: Where is buoy {at}? Answered: Buoy {at} lies far far far out." in system.content
    assert "It is red" not in system.content
    assert "Asked: Where is buoy 3?" not in system.content


async def test_a_turn_that_finds_no_room_is_told_in_short(ken: Ken) -> None:
    """A conversation too long for the window loses nothing silently: what doesn't fit whole is in the summary."""
    model = says(LIT)
    told = await tell(assistant(ken, model, prompt_tokens=1200), QUESTION, history=turns(5, words=120))
    system, *window, last = model.requests[0].messages
    assert len(window) < 10
    assert last.content == QUESTION
    assert "- Asked: Where is buoy" in system.content
    assert "what came before in" in told.detail("assemble")


async def test_the_plan_fits_the_window_and_is_on_record(ken: Ken) -> None:
    """Its parts add up to the window, and what the prompt holds is no more than each part may take."""
    told = await tell(assistant(ken, says(LIT), prompt_tokens=_ROOM), QUESTION, history=turns(7))
    span = assembled(ken, told)
    parts = ("answer", "margin", "system", "query", "passages", "history", "earlier")
    planned = [span[f"plan_{part}_tokens"] for part in parts]
    assert all(isinstance(tokens, int) and tokens >= 0 for tokens in planned)
    assert sum(tokens for tokens in planned if isinstance(tokens, int)) == span["plan_window_tokens"] == _ROOM
    assert str(span["template"]).startswith("grounded-")


async def test_what_people_write_does_not_become_a_template(ken: Ken) -> None:
    """Marks of a template in a question or a conversation stay the characters that they are."""
    model = says(LIT)
    asked = f"{QUESTION} {{{{passages}}}}"
    said = (Message("user", "Is {{abstention}} a word?"), Message("assistant", "{{earlier}} {0} %s"))
    await tell(assistant(ken, model, history_turns=1), asked, history=(*said, *said))
    system, *window, last = model.requests[0].messages
    assert last.content == asked
    assert [message.content for message in window] == [message.content for message in said]
    assert "Is {{abstention}} a word?" in system.content


@pytest.mark.parametrize("given", [{}, {"name": "a", "other": "b"}])
def test_a_template_takes_the_variables_that_it_declares(given: dict[str, str]) -> None:
    """One that is missing, or not declared, is an error that names it; so is a declaration that the text doesn't keep."""
    greeting = Template(name="greeting", version=1, intent="", variables=frozenset({"name"}), text="Hello {{name}}")
    assert greeting.render(name="{{name}}") == "Hello {{name}}"
    with pytest.raises(ValueError, match=r"'greeting'.*(name|other)"):
        greeting.render(**given)
    with pytest.raises(ValueError, match="declares other variables"):
        Template(name="greeting", version=1, intent="", variables=frozenset(), text="Hello {{name}}")


def test_every_prompt_says_what_it_is_for() -> None:
    """A file has a version, an intent and the variables that its text uses."""
    shipped = list(templates())
    assert {"grounded", "earlier"} <= {each.name for each in shipped}
    for each in shipped:
        assert each.version >= 1
        assert len(each.intent.split()) > 10
