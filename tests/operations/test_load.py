"""The load test: what it asks, what it measures, where it sees the knee; against real servers on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from ken.errors import InvalidInput, ModelUnavailable
from ken.mock.serving import running
from ken.operations.load.asking import Target
from ken.operations.load.knee import Scalability, fit, kneedle
from ken.operations.load.mix import Asked, Draws, Mix
from ken.operations.load.report import as_json, html
from ken.operations.load.run import LoadReport, Plan, Progress, load

QUESTIONS = tuple(f"Where does the crane number {number} stand?" for number in range(50))
_DONE = b'data: {"choices":[{"delta":{"content":"Here."}}]}\n\ndata: [DONE]\n\n'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def measured(url: str, plan: Plan, *, model: str, mix: Mix | None = None) -> LoadReport:
    seen: list[Progress] = []
    return await load(Target(url, model), QUESTIONS, plan=plan, mix=mix or Mix(), told=seen.append)


async def test_each_step_is_measured_at_its_concurrency() -> None:
    """Percentiles, first tokens, throughput and in-flight questions are those that the model's times allow."""
    plan = Plan(steps=(1, 4), seconds=20, most=12, warm_up_s=0)
    async with running() as mock:
        report = await measured(mock.url, plan, model="mock-ttft60-itl4-len10", mix=Mix(streamed=0.7))
    one, four = report.steps
    assert one.asked == four.asked == 12
    assert one.errors == four.errors == {}
    assert one.ms is not None
    assert one.ttft_ms is not None
    assert 90 <= one.ms.p50 <= one.ms.p95 <= one.ms.p99
    assert 55 <= one.ttft_ms.p50 < one.ms.p50
    assert 0.8 < one.in_flight <= 1.01
    assert 2 < four.in_flight <= 4.01
    assert four.rate > 1.5 * one.rate
    assert report.knee.carried == 4


async def test_a_providers_limit_shows_as_errors_by_kind() -> None:
    """Above its requests a minute it answers 429: they are counted, with what the first said, and end a hopeless test."""
    plan = Plan(steps=(1, 2, 4), seconds=20, most=20, warm_up_s=0, need=4)
    async with running() as mock:
        report = await measured(mock.url, plan, model="mock-len4-rpm25")
    assert [step.errors for step in report.steps] == [{}, {"429": 15}]
    assert "limit of requests" in report.steps[1].said["429"]
    assert "75% of the questions failed at 2" in report.ended_early
    assert report.knee.carried == 1
    assert report.passed is False


async def test_arrivals_count_the_wait_that_clients_in_turn_leave_out() -> None:
    """A server that answers one question at a time, and is asked more often than it can: only arrivals tell how long it takes."""
    async with one_at_a_time(0.04) as url:
        patient = await measured(url, Plan(steps=(1,), seconds=1, warm_up_s=0), model="m", mix=Mix(streamed=1))
        arriving = await measured(
            url, Plan(steps=(50,), seconds=1, warm_up_s=0, is_open=True), model="m", mix=Mix(streamed=1)
        )
    assert patient.steps[0].ms is not None
    assert arriving.steps[0].ms is not None
    assert arriving.steps[0].ms.p95 > 4 * patient.steps[0].ms.p50
    assert arriving.steps[0].asked > patient.steps[0].asked


@asynccontextmanager
async def one_at_a_time(seconds: float) -> AsyncGenerator[str]:
    """A server with one worker."""
    worker = asyncio.Lock()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length: " in head:
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            async with worker:
                await asyncio.sleep(seconds)
        writer.write(_HEAD + _DONE)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_faults_are_told_apart() -> None:
    """A cut stream, an error in it, a server that takes too long and one that isn't there each have their own kind."""
    plan = Plan(steps=(2,), seconds=5, most=2, warm_up_s=0)
    kinds = {"mock-cut5": "broken off", "mock-limit5": "error", "mock-hanghead": "timeout", "mock-503": "503"}
    async with running() as mock:
        for model, kind in kinds.items():
            target = Target(mock.url, model, patience_s=0.3)
            report = await load(target, QUESTIONS, plan=plan, mix=Mix(streamed=1), told=lambda _: None)
            assert report.steps[0].errors == {kind: 2}, model
        with pytest.raises(ModelUnavailable, match="ken up"):
            await measured(mock.refused_url, plan, model="mock")


def drawn(mix: Mix, count: int = 4000) -> list[Asked]:
    draws = Draws(QUESTIONS, mix)
    return [draws.draw() for _ in range(count)]


def test_questions_have_the_shares_and_the_tail_that_are_asked_for() -> None:
    """Streams, follow-ups, popularity and the lengths of conversations follow the mix; one seed, one sequence."""
    asked = drawn(Mix())
    assert asked == drawn(Mix())
    assert asked != drawn(Mix(seed=2))
    assert np.mean([each.is_streamed for each in asked]) == pytest.approx(0.8, abs=0.03)
    lengths = np.array([each.context_words for each in asked if each.history])
    assert len(lengths) / len(asked) == pytest.approx(0.35, abs=0.03)
    assert np.median(lengths) == pytest.approx(155, rel=0.1)  # the last question is not cut
    assert np.percentile(lengths, 99) / np.median(lengths) == pytest.approx(12.9, rel=0.25)
    counts = sorted((sum(each.text == question for each in asked) for question in QUESTIONS), reverse=True)
    assert counts[0] / counts[9] == pytest.approx(10**0.7, rel=0.3)
    assert all(each.messages()[-1] == {"role": "user", "content": each.text} for each in asked)


def test_the_law_is_found_in_its_own_points() -> None:
    """Parameters, peak and ceiling come back; without a bend there is no knee, and with too few points no law."""
    law = Scalability(one=20.0, contention=0.05, coherence=0.002, r2=1.0)
    clients = [1, 2, 4, 8, 16, 32, 64]
    found = fit([(each, law.rate(each)) for each in clients])
    assert found is not None
    assert (found.one, found.contention, found.coherence) == pytest.approx((20, 0.05, 0.002), rel=1e-6)
    assert found.peak == pytest.approx((0.95 / 0.002) ** 0.5)
    assert kneedle(clients, [law.rate(each) for each in clients]) == 4
    line = fit([(each, 3.0 * each) for each in clients])
    assert line is not None
    assert (line.contention, line.coherence, line.peak) == pytest.approx((0, 0, None), abs=1e-9)
    assert kneedle(clients, [3.0 * each for each in clients]) is None
    assert fit([(1, 2.0), (2, 3.0), (4, 5.0)]) is None


async def test_the_page_stands_alone_and_has_every_step() -> None:
    """Plots and figures are in the one file; nothing is loaded, and what came from outside is text."""
    plan = Plan(steps=(1, 2), seconds=5, most=4, warm_up_s=0)
    async with running() as mock:
        report = await measured(mock.url, plan, model="mock-len4-id<b>".replace("<b>", "x"))
        page = html(report)
    assert page.count("<svg") >= 4
    assert "http://" not in page.replace(report.url, "").replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    told = json.loads(json.dumps(as_json(report)))
    assert [step["at"] for step in told["steps"]] == [1, 2]
    assert told["passed"] is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"steps": ()}, "rising numbers"),
        ({"steps": (4, 2)}, "rising numbers"),
        ({"steps": (0.5,)}, "whole numbers"),
        ({"steps": (1, 20_000)}, "one client can hold"),
        ({"seconds": 0}, "more than 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object], why: str) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidInput, match=why):
        Plan(**wrong)  # type: ignore[arg-type] # each is wrong on purpose
