"""Reading the bodies of requests: what is common to the wires."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import cast

from ken.errors import InvalidInput


def member(told: object, name: str) -> object:
    """A member of an object; None where there is none, or no object."""
    return cast("dict[str, object]", told).get(name) if isinstance(told, dict) else None


def messages_of(told: object) -> Sequence[dict[str, object]]:
    """The messages of a request. Raises InvalidInput."""
    messages = cast("list[object]", told) if isinstance(told, list) else []
    if not messages or not all(isinstance(member(message, "role"), str) for message in messages):
        raise InvalidInput("`messages` is a list of one message or more, each with a role.", param="messages")
    return cast("list[dict[str, object]]", messages)


def text_of(content: object) -> tuple[str, int]:
    """The text of a message's content, and how many images are in it."""
    if isinstance(content, str):
        return content, 0
    parts = cast("list[object]", content) if isinstance(content, list) else []
    texts = [str(text) for part in parts if (text := member(part, "text")) is not None]
    images = sum(member(part, "type") in {"image_url", "image"} for part in parts)
    # Results and calls of tools are billed by what they say.
    texts += [str(inner) for part in parts if (inner := member(part, "input") or member(part, "content")) is not None]
    return "\n".join(texts), images


def tools_of(functions: Iterable[object]) -> list[tuple[str, object]]:
    """Name and JSON schema of each tool."""
    return [
        (str(member(function, "name")), member(function, "parameters") or member(function, "input_schema"))
        for function in functions
    ]


def told_tool(tool: tuple[str, object]) -> str:
    """A tool as the model reads it, and as it is billed."""
    return f"{tool[0]} {json.dumps(tool[1])}"


def limit_of(body: dict[str, object], *names: str) -> int | None:
    """How many tokens the answer may have. Raises InvalidInput for what is no such number."""
    for name in names:
        limit = body.get(name)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise InvalidInput(f"`{name}` is {limit!r}; it is a whole number from 1 on.", param=name)
        return limit
    return None
