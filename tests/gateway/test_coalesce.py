from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

from ken.domain.answer import Answer, Question
from ken.domain.call import CallContext, Charge
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded
from ken.gateway.coalesce import Coalesce, key_of_request
from ken.models.chat import ChatDelta, ChatOptions, ChatRequest, Tool
from ken.telemetry.tracing import TraceBuilder
from tests.gateway.asking import CUT, Turns, Waiting, deltas_of, outcome_of, request, text_of, until

PIECES = ("There", " are", " 28", " days.")


def coalescing(model: Turns | Waiting) -> Coalesce[ChatRequest, ChatDelta]:
    """The model behind the wrapper, for people who may all see the same."""
    return Coalesce(model, key_of=lambda asked: key_of_request(asked, scope="everybody", release="r1"))


async def test_the_same_question_at_the_same_moment_is_asked_once() -> None:
    """Ten ask at once, one more in mid-answer: one call, and each gets the whole answer piece by piece."""
    model = Turns("m", PIECES, pause_s=0.01)
    coalesce = coalescing(model)
    calls = [asyncio.ensure_future(deltas_of(coalesce, request())) for _ in range(10)]
    await asyncio.sleep(0.025)
    calls.append(asyncio.ensure_future(deltas_of(coalesce, request())))
    answers = await asyncio.gather(*calls)
    assert [[delta.text for delta in answer if delta.text] for answer in answers] == [list(PIECES)] * 11
    assert len(model.requests) == 1
    await text_of(coalesce, request())
    assert len(model.requests) == 2, "what is over is asked anew"


async def test_others_get_the_answer_when_the_first_asker_hangs_up() -> None:
    """The call goes on as long as anybody reads it, and is closed when nobody does."""
    model = Waiting()
    coalesce = coalescing(model)
    leader, *followers = (asyncio.ensure_future(text_of(coalesce, request())) for _ in range(3))
    assert await until(lambda: model.under_way == 1)
    for gone in (leader, followers[0]):
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    assert model.under_way == 1
    model.gate.set()
    assert await followers[1] == "anna"
    model.gate.clear()
    alone = asyncio.ensure_future(text_of(coalesce, request()))
    assert await until(lambda: model.under_way == 1)
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    assert (model.begun, model.under_way) == (2, 0)


async def test_who_comes_while_the_last_reader_leaves_asks_anew() -> None:
    """A call that is being closed can't be joined."""
    model = Turns("m", PIECES, pause_s=0.01)
    coalesce = coalescing(model)
    async with aclosing(coalesce.stream(request())) as deltas:
        await anext(deltas)
    assert await text_of(coalesce, request()) == "".join(PIECES)
    assert len(model.requests) == 2


async def test_an_error_goes_to_all() -> None:
    """Each of those who wait gets the error behind the pieces that came."""
    model = Turns("m", ("There", CUT), pause_s=0.01)
    coalesce = coalescing(model)
    assert await asyncio.gather(*(outcome_of(coalesce, request()) for _ in range(3))) == [CUT] * 3
    assert len(model.requests) == 1


async def test_each_reader_has_their_own_deadline() -> None:
    """Who has no time left stops waiting; the others get the answer."""
    model = Waiting()
    coalesce = coalescing(model)
    patient = asyncio.ensure_future(text_of(coalesce, request()))
    await asyncio.sleep(0)
    assert isinstance(await outcome_of(coalesce, request(seconds=0.05)), DeadlineExceeded)
    model.gate.set()
    assert await patient == "anna"


async def test_the_first_asker_pays() -> None:
    """The call is charged to whoever asked first; the others are charged nothing, and their trace says why."""

    class Charged(Turns):
        async def stream(self, asked: ChatRequest) -> object:
            async with aclosing(super().stream(asked)) as deltas:
                async for delta in deltas:
                    yield delta
            asked.context.account.charges.append(
                Charge(call_id="c", model="m", stage="generate", usage=Usage(10, 4), cost_micros=7)
            )

    traces = [TraceBuilder() for _ in range(2)]
    asked = [request(trace=trace) for trace in traces]
    coalesce = coalescing(Charged("m", PIECES, pause_s=0.01))
    await asyncio.gather(*(text_of(coalesce, one) for one in asked))
    assert [one.context.account.cost_micros for one in asked] == [7, 0]
    told = [
        trace.finish(
            Question(text="x", principal=LOCAL_OPERATOR), Answer(text="", trace_id=trace.trace_id, outcome="answered")
        )
        for trace in traces
    ]
    spans = [next(dict(span.attributes) for span in trace.spans if span.name == "coalesce") for trace in told]
    assert [(span["joined"], span["leader"]) for span in spans] == [
        (False, traces[0].trace_id),
        (True, traces[0].trace_id),
    ]


def test_what_differs_is_not_the_same_question() -> None:
    """Who may see what, the release, the words and the options count; who asks and until when does not."""
    asked = request()
    key = key_of_request(asked, scope="a", release="r")
    assert key == key_of_request(replace(request(seconds=5), context=CallContext()), scope="a", release="r")
    others = [
        key_of_request(asked, scope="b", release="r"),
        key_of_request(asked, scope="a", release="s"),
        key_of_request(request("How many days of sick leave are there?"), scope="a", release="r"),
        key_of_request(replace(asked, max_tokens=5), scope="a", release="r"),
        key_of_request(replace(asked, options=ChatOptions(seed=1)), scope="a", release="r"),
    ]
    assert len({key, *others}) == 6
    assert key_of_request(replace(asked, temperature=0.7), scope="a", release="r") is None
    assert key_of_request(replace(asked, options=ChatOptions(tools=(Tool(name="t"),))), scope="a", release="r") is None
