"""Spans as the record keeps them: those of one trace that came together, as JSON, compressed into one value.

The first byte says how the rest was written, so that what one Ken wrote is read by the next ones. zlib is told beforehand what nearly every
batch has in it (RFC 1950, section 2.3: a preset dictionary), which takes a third off ten spans.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import starmap
from typing import Any

from ken.domain.trace import Link, Span
from ken.errors import StorageError

_FORMAT = b"\x01"
_LEVEL = 6
_LARGEST = 256 * 1024 * 1024
_KNOWN = (
    b'"prompt_version","price_version","finish_reason","response_model","cache_read_tokens":0,"reasoning_tokens":0,"cache_write_tokens":0,'
    b'"candidates":"passages":"best":"relevance":"collections":"corpus_version":"documents":"queries":"terms":"corrected":"expanded":'
    b'"lexical_ms":0.0,"dense_ms":0.0,"rank_ms":0.0,"embed_ms":0.0,"checking_ms":0.0,"sentences":"kept":"left_out":"escalated":false,'
    b'"error":"failure":"timeout","status":"breaker":"closed","reason":"number":1,"provider":"openai","estimated":false,"ttft_ms":0.0,'
    b'"input_tokens":0,"output_tokens":0,"cost_micros":null,"currency":"USD","model":"extractive","tier":"light","task_type":"lookup",'
    b'"category":"general","decision":"miss","similarity":0.0,"prompt_tokens":0,"queue_ms":0.0,"limit":"hedge","fallback",'
    b'[["","question",1790000000.0,1790000000.0,0,{}],["","intake","screen","classify","recall","retrieve","assemble","route","generate",'
    b'"attempt","queue","call","verify","settle",1790000000.0,1790000000.0,0,{}],true,false,null]]'
)
"""Never to be changed: what was written with it is read with it. Another one is another format."""


def packed(spans: Sequence[Span]) -> bytes:
    """A batch of spans as one value; their order stays."""
    return _FORMAT + _compressed(json.dumps([_plain(span) for span in spans], separators=(",", ":")).encode())


def unpacked(data: bytes) -> tuple[Span, ...]:
    """The spans of a value. Raises StorageError for one that this Ken can't read."""
    return tuple(_span(each) for each in json.loads(_read(data)))


def packed_text(text: str) -> bytes | None:
    """A long text as one value; None for an empty one."""
    return _FORMAT + _compressed(text.encode("utf-8", "surrogatepass")) if text else None


def unpacked_text(data: bytes | None) -> str:
    """The text of such a value. Raises StorageError as for spans."""
    return "" if data is None else _read(data).decode("utf-8", "surrogatepass")


def _compressed(data: bytes) -> bytes:
    stream = zlib.compressobj(
        _LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, _KNOWN
    )
    return stream.compress(data) + stream.flush()


def _read(data: bytes) -> bytes:
    if data[:1] != _FORMAT:
        raise StorageError(
            "A trace on record was written by a newer Ken. Upgrade Ken, or restore a backup that this version made."
        )
    stream = zlib.decompressobj(zlib.MAX_WBITS, _KNOWN)
    try:
        found = stream.decompress(data[1:], _LARGEST)
    except zlib.error as error:
        raise StorageError("A trace on record is damaged. Restore a backup to have it back.") from error
    if not stream.eof:
        raise StorageError("A trace on record is damaged: it breaks off. Restore a backup to have it back.")
    return found


def _plain(span: Span) -> list[object]:
    links = [[link.trace_id, link.span_id, link.reason] for link in span.links]
    status = int(span.status == "error")
    written: list[object] = [
        span.id,
        span.parent_id,
        span.name,
        span.started_at,
        span.ended_at,
        status,
        dict(span.attributes),
    ]
    return [*written, links] if links else written


def _span(written: Sequence[Any]) -> Span:
    id_, parent_id, name, started_at, ended_at, status, attributes, *rest = written
    return Span(
        id=id_,
        parent_id=parent_id,
        name=name,
        started_at=started_at,
        ended_at=ended_at,
        status="error" if status else "ok",
        attributes=tuple(attributes.items()),
        links=tuple(starmap(Link, rest[0] if rest else ())),
    )
