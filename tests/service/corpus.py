"""A small corpus of an invented harbour, and a home that holds it: synced once for all tests of a run."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ken.settings import load
from ken.wiring import open_home

OPENING = "The harbour office opens at 07:30 on weekdays."
QUESTION = "When does the harbour office open on weekdays?"
BEYOND = "Which telescope did Galileo use to watch Jupiter?"

FILES = {
    "office.md": f"""---
title: Harbour office
owner: Harbour master
effective: 2020-01-01
review_by: 2021-12-31
---

# Harbour office

{OPENING} On Saturdays it opens at 09:00. It stays closed on Sundays.

## Berth fees

| Length of the boat | Fee for a night |
|---|---|
| Up to 8 metres | 14 euros |
| Over 8 metres | 22 euros |

Fees are paid at the office before noon. See [the crane](crane.md#bookings).

## Lost keys

1. Tell the office which berth the key was for.
2. Pay 35 euros for a new one.
""",
    "crane.md": """# Crane

## Bookings

The crane lifts boats of up to **12 tonnes**. A lift is booked two days ahead with the crane driver.
The crane rests when the wind is above 7 Beaufort ⛵😀. After a storm the crane is inspected before its next lift.
""",
    "wages.md": """---
title: Wages
groups: [office]
---

# Wages

The crane driver earns 3,400 euros a month. The night watch earns 2,900 euros a month.
""",
    "fuel.txt": """Fuel station

The fuel station sells diesel between 08:00 and 18:00. Petrol is not sold.

Payment is by card only.
""",
}


def write(folder: Path) -> Path:
    """Write the documents."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@functools.cache
def synced_home() -> Path:
    """A home that holds the corpus as the collection `harbour`. Don't write to it: take a `copy`."""
    place = Path(tempfile.mkdtemp(prefix="ken-tests-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    with ThreadPoolExecutor(1) as thread:  # whose event loop is nobody else's
        thread.submit(asyncio.run, _sync(write(place / "harbour"), place / "home")).result()
    return place / "home"


def copy(to: Path) -> Path:
    """A home of one's own that holds the corpus."""
    shutil.copytree(synced_home(), to)
    return to


async def _sync(folder: Path, home: Path) -> None:
    ken = await open_home(load(home))
    try:
        report = await ken.library.sync_folder(folder, collection="harbour")
    finally:
        await ken.aclose()
    assert report.failures == []
    assert report.added == len(FILES)
