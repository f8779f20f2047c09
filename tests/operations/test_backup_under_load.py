"""A backup that is made while Ken answers holds whatever was acknowledged before it began."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from ken.operations.children import ken_up
from ken.storage.backup import backup, restore
from ken.storage.schema import turns
from ken.storage.sqlite import SqliteDatabase
from tests.service.corpus import QUESTION, copy

CLIENTS = 3
MOMENT_S = 0.5


async def test_nothing_acknowledged_is_missing(tmp_path: Path) -> None:
    """Every turn that a client had its answer to by then is in the restored home, while others go on asking."""
    home = copy(tmp_path / "home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEN_")}
    acknowledged: dict[str, float] = {}
    began = 0.0
    async with ken_up(home, environment=environment) as child, aiohttp.ClientSession(trust_env=False) as session:

        async def ask_on(client: int) -> None:
            number = 0
            while not began or time.monotonic() < began + 2 * MOMENT_S:
                number += 1
                question = f"{QUESTION} Client {client} asks for the {number}th time."
                async with session.post(
                    f"{child.url}/api/ask", params={"stream": "false"}, json={"question": question}
                ) as response:
                    assert response.status == 200
                    await response.read()
                acknowledged[question] = time.monotonic()

        asking = [asyncio.create_task(ask_on(client)) for client in range(CLIENTS)]
        while len(acknowledged) < 2 * CLIENTS:  # noqa: ASYNC110 - the clients are at work
            await asyncio.sleep(0.02)
        began = time.monotonic()
        await asyncio.to_thread(backup, home, tmp_path / "b.zip")
        await asyncio.gather(*asking)
    restore(tmp_path / "b.zip", tmp_path / "again")
    database = SqliteDatabase(tmp_path / "again")
    try:
        with database.read() as connection:
            kept = set(connection.scalars(sa.select(turns.c.content).where(turns.c.role == "user")))
    finally:
        database.close()
    before = {question for question, at in acknowledged.items() if at < began}
    assert len(before) >= 2 * CLIENTS
    assert before <= kept
    assert len(acknowledged) > len(before)
