from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest

from ken.domain.answer import Message
from ken.domain.budget import Budget, Counted, Spent, period_of
from ken.domain.call import Account, CallContext, Charge, Purpose
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import BudgetExceeded, DeadlineExceeded, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.gateway.books import Books
from ken.gateway.counting import Counting, estimate
from ken.gateway.meter import Metered
from ken.gateway.seam import D, Dependency, R
from ken.mock.behaviour import FAMILIES, USAGE_SHAPES
from ken.mock.ledger import Entry
from ken.mock.serving import Running, running
from ken.mock.writing import WordTokenizer
from ken.models.anthropic import AnthropicChat
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.connections import Connections
from ken.models.embedding import EmbedderEndpoint, EmbedRequest
from ken.models.endpoint import Endpoint
from ken.models.extractive import ExtractiveReader
from ken.models.openai import OpenAIChat
from ken.models.openai_embedder import EndpointEmbeddings
from ken.models.rerank_endpoint import EndpointScores
from ken.models.reranking import RerankEndpoint, RerankRequest
from ken.models.scripted import ScriptedModel
from ken.storage.ledger import Ledger
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.prices import Price, Prices
from ken.telemetry.tracing import TraceBuilder
from tests.storage.conftest import migrated, sqlite

__all__ = ["migrated", "sqlite"]

OWN = {
    f"{family}*": Price(input=price.input, output=price.output, cache_read=price.cached, cache_write=price.written)
    for family, price in sorted(FAMILIES.items(), reverse=True)
}
PRICES = Prices.shipped(OWN | {"search-1": Price(search=2_000)})
QUESTION = "Say in a few words what the team keeps in the library and who reads the list on Monday before work."
WORDS = WordTokenizer().count
EXACT = Counting(count=WORDS)
"""As the mock counts: the right tokenizer, and a template around each message."""
PLAIN = Counting.plain(WORDS)
"""The same for its embedder and its reranker, which have none."""
PROMPT = EXACT.asked([QUESTION])
WIRES = {"openai": OpenAIChat, "anthropic": AnthropicChat}


UNTOLD = ("none", "zero", "wrong")
"""Shapes of usage that tell nothing, or nothing that can be true."""
FAULTS: dict[str, type[Exception]] = {
    "stall5": ModelInterrupted,
    "cut5": ModelInterrupted,
    "bad5": ModelInterrupted,
    "error5": ModelRefused,
    "limit5": ModelRefused,
    "hangtoken": ModelInterrupted,
    "hanghead": ModelInterrupted,
    "cut5-usageeach": ModelInterrupted,
    "429": ModelRefused,
    "500": ModelRefused,
    "400": ModelRefused,
}


@dataclass(frozen=True, slots=True)
class Rig:
    """Metered models of the mock, with real books."""

    mock: Running
    books: Books
    connections: Connections

    def model(self, name: str, *, wire: str = "openai", counting: Counting = EXACT) -> Metered[ChatRequest, ChatDelta]:
        """A model of the mock that shows quickly when it hangs."""
        endpoint = Endpoint(base_url=self.mock.url, model=name, first_token_s=0.3, stall_s=0.3, completion_s=20)
        return self.metered(WIRES[wire](name, endpoint, connections=self.connections), counting=counting)

    def metered(
        self, inner: Dependency[R, D], *, counting: Counting = EXACT, is_free: bool = False, priced: str = ""
    ) -> Metered[R, D]:
        """A dependency with its tariff."""
        tariff = PRICES.tariff(priced or inner.name)
        return Metered(inner, books=self.books, tariff=tariff, counting=counting, is_free=is_free)

    async def invoiced(self, name: str) -> Entry:
        """What the provider has in its books."""
        await self.mock.settled(name)
        return self.mock.ledger.entries(name)[-1]

    async def spent(self) -> Spent:
        """What Ken has in its books."""
        assert await self.books.flush()
        counted = Counted(scope="all", of="", period=period_of(time.time(), "day"))
        return self.books.ledger.spent([counted]).get(counted, Spent())


@pytest.fixture
async def rig(sqlite: SqliteDatabase) -> AsyncIterator[Rig]:
    books, connections = Books(Ledger(sqlite)), Connections()
    async with running() as mock:
        yield Rig(mock, books, connections)
        await connections.aclose()
    await books.aclose()


def request(*, is_streamed: bool = True, max_tokens: int | None = 400, seconds: float = 20.0) -> ChatRequest:
    """A question with an account of its own."""
    return ChatRequest(
        messages=(Message("user", QUESTION),),
        question=QUESTION,
        evidence=(),
        deadline=Deadline.after(seconds),
        max_tokens=max_tokens,
        is_streamed=is_streamed,
        context=CallContext(purpose=Purpose(principal="key-1", stage="generate"), account=Account()),
    )


async def charged(model: Metered[ChatRequest, ChatDelta], asked: ChatRequest, *, pieces: int | None = None) -> Charge:
    """Ask, read so many pieces (None: all), and see what it came to."""
    count = 0
    async with aclosing(model.stream(asked)) as deltas:
        async for delta in deltas:
            count += delta.carries
            if count == pieces:
                break
    (charge,) = asked.context.account.charges
    return charge


@pytest.mark.parametrize("wire", WIRES)
async def test_a_call_costs_what_the_provider_invoices_streamed_and_not(rig: Rig, wire: str) -> None:
    """Whatever the shape of the usage: to the millionth where it is told, and by the right tokenizer where it isn't."""
    cached = "-cached12-written5" if wire == "anthropic" else "-cached12"  # OpenAI's wire doesn't tell of writing
    told = [shape for shape in USAGE_SHAPES if shape not in UNTOLD]
    names = [f"mock-len37{more}-usage{shape}" for shape in USAGE_SHAPES for more in ("", "-think9")]
    names += [f"mock-len37{cached}-usage{shape}" for shape in told]
    for is_streamed in (True, False):
        charges = await asyncio.gather(
            *(charged(rig.model(name, wire=wire), request(is_streamed=is_streamed)) for name in names)
        )
        for name, charge in zip(names, charges, strict=True):
            entry, usage = await rig.invoiced(name), charge.usage
            assert (name, charge.cost_micros, charge.outcome) == (name, entry.cost_micros, "ok")
            assert (usage.input_tokens, usage.output_tokens) == (entry.input_tokens, entry.output_tokens)
            assert (name, usage.estimated) == (name, name.endswith(UNTOLD))
            assert usage.estimated or usage.cache_read_tokens == entry.cached_tokens
    spent = await rig.spent()
    assert spent.final_micros == sum(entry.cost_micros for entry in rig.mock.ledger.entries())
    assert (spent.reserved_micros, spent.calls, spent.unknown_calls) == (0, 2 * len(names), 0)


async def test_a_failed_call_costs_what_was_generated_before_it_failed(rig: Rig) -> None:
    """Prompt and tokens so far as an estimate, unless they were told; what was refused before its first token, nothing."""

    async def one(fault: str, error: type[Exception]) -> None:
        name = f"mock-len37-{fault}"
        asked = request()
        with pytest.raises(error):
            await charged(rig.model(name), asked)
        (charge,) = asked.context.account.charges
        entry = await rig.invoiced(name)
        assert (name, charge.cost_micros, charge.outcome) == (name, entry.cost_micros, "failed")
        assert (name, charge.usage.estimated) == (name, entry.cost_micros > 0 and "each" not in fault)

    await asyncio.gather(*(one(fault, error) for fault, error in FAULTS.items()))
    spent = await rig.spent()
    assert spent.final_micros == sum(entry.cost_micros for entry in rig.mock.ledger.entries())
    assert spent.reserved_micros == 0


async def test_an_unreachable_model_costs_nothing(rig: Rig) -> None:
    """Nobody has read the prompt."""
    endpoint = Endpoint(base_url=rig.mock.refused_url, model="mock")
    model = rig.metered(OpenAIChat("mock", endpoint, connections=rig.connections))
    asked = request()
    with pytest.raises(ModelUnavailable):
        await charged(model, asked)
    assert [(charge.cost_micros, charge.usage) for charge in asked.context.account.charges] == [(0, Usage())]
    assert (await rig.spent()).final_micros == 0


@pytest.mark.parametrize("wire", WIRES)
async def test_an_abandoned_call_costs_its_prompt_and_what_was_written_until_then(rig: Rig, wire: str) -> None:
    """The caller reads twelve pieces and goes: an estimate, which is off by no more than what was under way to it."""
    name = "mock-len300-itl8"
    charge = await charged(rig.model(name, wire=wire), request(), pieces=12)
    entry = await rig.invoiced(name)
    assert (charge.outcome, charge.usage.estimated, entry.outcome) == ("abandoned", True, "hung up")
    assert charge.usage.input_tokens == entry.input_tokens
    assert charge.usage.output_tokens == 12
    assert entry.output_tokens < 40


async def test_a_call_whose_time_is_up_before_its_first_token_costs_its_prompt(rig: Rig) -> None:
    """The provider has read it: the deadline of the question doesn't change that."""
    name = "mock-ttft5000"
    asked = request(seconds=0.2)
    with pytest.raises((DeadlineExceeded, ModelInterrupted)):
        await charged(rig.model(name), asked)
    (charge,) = asked.context.account.charges
    assert charge.usage == Usage((await rig.invoiced(name)).input_tokens, 0, estimated=True)


async def test_an_estimate_without_the_right_tokenizer_is_within_a_twentieth(rig: Rig) -> None:
    """Where a provider says nothing, and nobody has named its tokenizer."""
    name = "mock-len400-usagenone"
    charge = await charged(rig.model(name, counting=Counting(count=estimate)), request(max_tokens=1_000))
    assert charge.usage.estimated
    assert charge.cost_micros == pytest.approx((await rig.invoiced(name)).cost_micros, rel=0.05)


async def test_the_money_is_reserved_before_the_call_goes_out(rig: Rig) -> None:
    """While it is under way the most that it may cost is held: the prompt, and as many tokens as were allowed."""
    async with aclosing(rig.model("mock-len37").stream(request(max_tokens=100))) as deltas:
        held = {(await rig.spent()).reserved_micros async for _ in deltas}
    assert held == {PROMPT + 100 * 4}
    assert (await rig.spent()).reserved_micros == 0


async def test_what_a_budget_refuses_never_reaches_the_provider(rig: Rig) -> None:
    """32 questions at once, room for ten: the provider is asked ten times, and no charge is made for the others."""
    books = Books(rig.books.ledger, budgets=[Budget(name="ten", micros=10 * (PROMPT + 400 * 4))])
    model = replace(rig, books=books).model("mock-len37-ttft100")
    asked = [request() for _ in range(32)]
    answers = await asyncio.gather(*(charged(model, each) for each in asked), return_exceptions=True)
    assert sum(isinstance(answer, Charge) for answer in answers) == 10
    assert sum(isinstance(answer, BudgetExceeded) for answer in answers) == 22
    assert len(rig.mock.ledger.entries()) == 10
    assert sum(len(each.context.account.charges) for each in asked) == 10
    await books.aclose()


@pytest.mark.parametrize(
    ("deltas", "usage"),
    [
        ([ChatDelta("a b", usage=Usage(10, 2)), ChatDelta(" c", usage=Usage(10, 3))], Usage(10, 3)),
        ([ChatDelta("a b c"), ChatDelta(usage=Usage(10, 3)), ChatDelta(usage=Usage(10, 3))], Usage(10, 3)),
        ([ChatDelta(usage=Usage(10, 1)), ChatDelta("a b c")], Usage(10, 3, estimated=True)),
        ([ChatDelta("a b c", usage=Usage(0, 0))], Usage(PROMPT, 3, estimated=True)),
        ([ChatDelta("a b c", usage=Usage(10, 0))], Usage(10, 3, estimated=True)),
        ([ChatDelta("a"), ChatDelta(usage=Usage(10, 90, reasoning_tokens=89))], Usage(10, 90, reasoning_tokens=89)),
    ],
)
async def test_the_last_word_of_the_provider_counts(rig: Rig, deltas: Sequence[ChatDelta], usage: Usage) -> None:
    """Sums so far are not added up; what was written after the last of them is counted; a zero for something is no count."""
    script = [*deltas[:-1], replace(deltas[-1], finish_reason="stop")]
    charge = await charged(rig.metered(ScriptedModel("mock", lambda _: script)), request())
    assert charge.usage == usage


async def test_embeddings_and_rerankings_are_metered_like_answers(rig: Rig) -> None:
    """An embedder by its input, told or counted; a reranker by the search."""
    context = CallContext(purpose=Purpose(stage="sync"))
    texts = ("The team keeps a key.", "The library opens at noon.")
    for name in ("mock-dim8", "mock-dim8-usagenone"):
        endpoint = EmbedderEndpoint(base_url=rig.mock.url, model=name)
        embedder = EndpointEmbeddings(endpoint, connections=rig.connections)
        asked = EmbedRequest(texts=texts, deadline=Deadline.after(20), context=context)
        async with aclosing(rig.metered(embedder, counting=PLAIN).stream(asked)) as deltas:
            assert [delta.vectors.shape async for delta in deltas] == [(2, 8)]
        assert context.account.charges[-1].cost_micros == (await rig.invoiced(name)).cost_micros == 12
    assert [charge.usage.estimated for charge in context.account.charges] == [False, True]
    reranker = EndpointScores(RerankEndpoint(base_url=rig.mock.url, model="mock"), connections=rig.connections)
    asked_scores = RerankRequest(
        question="Who keeps a key?", documents=texts, deadline=Deadline.after(20), context=context
    )
    async with aclosing(rig.metered(reranker, counting=PLAIN, priced="search-1").stream(asked_scores)) as scores:
        assert [len(delta.scores) async for delta in scores] == [2]
    assert context.account.charges[-1].cost_micros == 2_000


async def test_what_runs_in_ken_itself_is_noted_and_holds_no_money(rig: Rig) -> None:
    """The reader gets a row that costs 0, and no counter of a budget moves."""
    model = rig.metered(ExtractiveReader(), is_free=True)
    charge = await charged(model, request())
    assert charge.cost_micros == 0
    assert await rig.spent() == Spent()
    (cost,) = rig.books.ledger.costs("model", since=0, until=time.time() + 1)
    assert (cost.of, cost.calls, cost.cost_micros, cost.unknown_calls) == ("extractive", 1, 0, 0)


async def test_a_span_says_what_the_call_came_to(rig: Rig) -> None:
    """Tokens, cost, the provider's own id and model, and the time to the first token."""
    trace = TraceBuilder()
    asked = request()
    asked = replace(asked, context=replace(asked.context, tracer=trace))
    charge = await charged(rig.model("mock-len37-cached12"), asked)
    (span,) = [span for span in trace._spans if span.name == "call"]
    noted = span.attributes
    assert (noted["model"], noted["call_id"]) == ("mock-len37-cached12", charge.call_id)
    assert (noted["cost_micros"], noted["output_tokens"], noted["cache_read_tokens"]) == (charge.cost_micros, 37, 12)
    assert (noted["response_model"], noted["response_id"]) == ("mock-len37-cached12", "chatcmpl-1")
    assert 0 < float(noted["ttft_ms"] or 0) < 10_000
