"""Reading server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx


def read(lines: Iterable[str]) -> list[tuple[str, Any]]:
    """The events as (name, data); comments are left out."""
    found: list[tuple[str, Any]] = []
    name = "message"
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
            name = "message"
    return found


def ask(client: httpx.Client, question: str, **more: object) -> list[tuple[str, Any]]:
    """The events of one question."""
    with client.stream("POST", "/api/ask", json={"question": question, **more}) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        return read(response.iter_lines())
