from __future__ import annotations

from pathlib import Path

from ken.domain.principal import Principal
from tests.knowledge.homes import OPERATOR, found, opened, sync

FILES = {
    "rooms.py": (
        '"""Rooms of the office."""\n\n\ndef release(room: str) -> None:\n'
        '    """Gives a meeting room back when nobody has shown up for fifteen minutes."""\n    free(room)\n'
    ),
    "Dockerfile": "FROM scratch\nCOPY kettle /kettle\n",
    "fares.csv": "Zone;Single ticket;Monthly pass\nHarbour;1,80;49,00\nAirport;7,20;161,50\n",
    "menu.json": '{"title": "Canteen", "days": [{"day": "Monday", "soup": "leek"}, {"day": "Friday", "soup": "pumpkin"}]}',
    "lights.rst": "Lights\n======\n\n:groups: crew\n\nThe lighthouse lamp is changed every ninety days.\n",
    "boats.adoc": "= Boats\n\n== Rowing\n\n* Rowing boats are returned before sunset.\n",
}


async def test_what_a_question_asks_for_is_found_in_every_format(home: Path, folder: Path) -> None:
    """The comment of a function, a row of a table, a value, a sentence, a point: each by a question in words."""
    async with opened(home) as ken:
        report = await sync(ken, folder, FILES)
        assert (report.failures, report.warnings, report.added) == ([], [], len(FILES))
        for question, path in {
            "What happens when nobody shows up in a meeting room?": "rooms.py",
            "How much is a monthly pass to the airport?": "fares.csv",
            "Which soup is there on Friday?": "menu.json",
            "How often is the lamp of the lighthouse changed?": "lights.rst",
            "When do I return a rowing boat?": "boats.adoc",
            "Where is the kettle copied to?": "Dockerfile",
        }.items():
            assert (await found(ken, question))[0] == path


async def test_a_passage_of_code_is_under_the_name_of_its_definition(home: Path, folder: Path) -> None:
    """The path says which function it is; the sentence that is quoted has no marks of a comment."""
    setup = "\n".join(f"    table_{number} = open_table({number})" for number in range(90))
    rooms = FILES["rooms.py"].replace("def release", f"def prepare() -> None:\n{setup}\n\n\ndef release") + setup
    async with opened(home) as ken:
        await sync(ken, folder, {"rooms.py": rooms})
        result = await ken.library.search("What happens when nobody shows up in a meeting room?", OPERATOR)
        best = result.evidence[0]
        assert best.passage.heading_path == ("release",)
        assert any(
            sentence.text == "Gives a meeting room back when nobody has shown up for fifteen minutes."
            for sentence in best.sentences
        )


async def test_groups_of_a_document_hold_in_every_format(home: Path, folder: Path) -> None:
    """What the head of a document says about its readers is obeyed."""
    async with opened(home) as ken:
        await sync(ken, folder, FILES)
        question = "How often is the lamp of the lighthouse changed?"
        everyone = Principal("key:guest", frozenset({"everyone"}))
        assert "lights.rst" not in await found(ken, question, everyone)
        assert (await found(ken, question, Principal("key:crew", frozenset({"crew"}))))[0] == "lights.rst"
