"""What the parser and its worker process send each other. The answer is JSON: nothing in it can run code."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from enum import IntEnum
from typing import Any

from ken.domain.document import Block, Metadata, ParsedDocument

READY = b"ready"
"""The worker's first words."""
REQUEST = struct.Struct(">IQ")
"""Bytes of the name, bytes of the file; both follow."""
ANSWER = struct.Struct(">BQ")
"""An Outcome, bytes of what follows."""


class Outcome(IntEnum):
    """How the parsing of a file ended."""

    PARSED = 0
    UNREADABLE = 1
    MEMORY = 2
    TIME = 3
    CRASH = 4
    WORKING = 5
    """Not an end: a sign of life from a long work, which nothing follows."""


def document_to_json(parsed: ParsedDocument) -> bytes:
    """The document as JSON."""
    metadata = asdict(parsed.metadata)
    metadata["groups"] = None if parsed.metadata.groups is None else sorted(parsed.metadata.groups)
    return json.dumps(
        {
            "text": parsed.text,
            "blocks": [[b.kind, b.start, b.end, b.level, b.page] for b in parsed.blocks],
            "markup": parsed.markup,
            "metadata": metadata,
            "warnings": parsed.warnings,
        }
    ).encode()


def document_from_json(told: dict[str, Any]) -> ParsedDocument:
    """The document that `document_to_json` wrote."""
    groups = told["metadata"].pop("groups")
    return ParsedDocument(
        text=told["text"],
        blocks=tuple(
            Block(kind=kind, start=start, end=end, level=level, page=page)
            for kind, start, end, level, page in told["blocks"]
        ),
        markup=told["markup"],
        metadata=Metadata(groups=None if groups is None else frozenset(groups), **told["metadata"]),
        warnings=tuple(told["warnings"]),
    )
