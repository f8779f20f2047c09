"""When which part of an answer goes out, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ken.mock.behaviour import Behaviour, Fault
from ken.mock.chat_wire import MALFORMED, ChatWire
from ken.mock.exchange import STREAM_HEADERS, Exchange, HungUp
from ken.mock.ledger import Entry
from ken.mock.writing import Answer

Count = Callable[[str], int]
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCall:
    """A chat request that is being answered."""

    exchange: Exchange
    behaviour: Behaviour
    fault: Fault | None
    wire: ChatWire
    entry: Entry
    count: Count


async def stream(call: ChatCall, answer: Answer) -> None:
    """Send an answer token by token. Raises HungUp. What is generated is billed, also where nobody takes it."""
    exchange, behaviour, fault, wire, entry = call.exchange, call.behaviour, call.fault, call.wire, call.entry
    await exchange.begin(_OK, STREAM_HEADERS)
    if fault is not None and fault.kind == "hangtoken":
        await exchange.silence()
    await exchange.pause(behaviour.ttft)
    await exchange.write(wire.opening(entry))
    for piece in answer.thoughts:
        tokens = call.count(piece)
        entry.output_tokens += tokens
        entry.reasoning_tokens += tokens
        await exchange.write(wire.thought(piece, entry))
        await exchange.pause(behaviour.itl)
    for place, tool in enumerate(answer.calls):
        entry.output_tokens += call.count(tool.name) + call.count(tool.arguments)
        await exchange.write(wire.call(place, tool))
    pieces: Sequence[str] = () if fault is not None and fault.kind == "empty" else answer.pieces
    for place, piece in enumerate(pieces):
        if place:
            await exchange.pause(behaviour.itl)
        if fault is not None and fault.at == place and await _broke(exchange, fault, wire=wire, entry=entry):
            return
        entry.output_tokens += call.count(piece)
        data = wire.token(piece, entry, is_last=place == len(pieces) - 1)
        await exchange.write(data)
        if fault is not None and fault.kind == "dup" and fault.at == place:
            await exchange.write(data)
    entry.outcome = "completed"
    await exchange.end(wire.ending(answer, entry))


async def wait_for_whole(call: ChatCall, answer: Answer) -> None:
    """Send an answer in one piece, as late as its last token. Faults at a token come when that would be written."""
    exchange, behaviour, fault, wire, entry = call.exchange, call.behaviour, call.fault, call.wire, call.entry
    if fault is not None and fault.kind == "empty":
        answer = Answer(finish=answer.finish)
    pieces = [*answer.thoughts, *answer.pieces]
    if fault is not None and fault.kind in {"stall", "cut", "bad", "error", "limit"}:
        pieces = pieces[: len(answer.thoughts) + fault.at]
    if fault is not None and fault.kind == "hangtoken":
        await exchange.begin(_OK, STREAM_HEADERS)
        await exchange.silence()
    await exchange.pause(behaviour.ttft)
    for place, piece in enumerate(pieces):
        if place and behaviour.itl:
            await exchange.pause(behaviour.itl)
        tokens = call.count(piece)
        entry.output_tokens += tokens
        entry.reasoning_tokens += tokens if place < len(answer.thoughts) else 0
    entry.output_tokens += sum(call.count(tool.name) + call.count(tool.arguments) for tool in answer.calls)
    if fault is not None and await _broke_whole(exchange, fault, wire=wire, entry=entry):
        return
    entry.outcome = "completed"
    try:
        await exchange.answer(_OK, wire.whole(answer, entry))
    except HungUp:
        entry.outcome = "hung up"
        raise


async def _broke(exchange: Exchange, fault: Fault, *, wire: ChatWire, entry: Entry) -> bool:
    """Let the fault strike in mid-stream; whether the stream has ended with it."""
    match fault.kind:
        case "stall":
            await exchange.silence()
        case "cut":
            pass  # an answer without its end
        case "bad":
            await exchange.end(MALFORMED)
        case "error":
            await exchange.end(wire.failure(500, "The model failed in mid-answer."))
        case "limit":
            await exchange.end(wire.failure(429, "The limit of tokens a minute is reached."))
        case _:
            return False
    entry.outcome = "failed"
    return True


async def _broke_whole(exchange: Exchange, fault: Fault, *, wire: ChatWire, entry: Entry) -> bool:
    """The same for an answer in one piece, which begins with its head and a little of its body."""
    match fault.kind:
        case "stall" | "cut":
            await exchange.begin(_OK, [(b"content-type", b"application/json")])
            await exchange.write(b'{"id":')
            if fault.kind == "stall":
                await exchange.silence()
        case "bad":
            await exchange.begin(_OK, [(b"content-type", b"application/json")])
            await exchange.end(b'{"id": "half an ans')
        case "error" | "limit":
            status = 500 if fault.kind == "error" else 429
            entry.status, entry.input_tokens, entry.cached_tokens, entry.written_tokens = status, 0, 0, 0
            entry.output_tokens = entry.reasoning_tokens = 0  # what ends in an error status is not invoiced
            await exchange.answer(status, wire.failed(status, "The model failed while it wrote."))
        case _:
            return False
    entry.outcome = "failed"
    return True
