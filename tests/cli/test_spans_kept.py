from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from ken.domain.principal import LOCAL_OPERATOR
from ken.storage.sqlite import SqliteDatabase
from ken.storage.traces import Traces
from tests.cli.running import up
from tests.cli.terminal import Terminal


def body(number: int) -> dict[str, object]:
    now = str(time.time_ns())
    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "s",
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def test_what_was_answered_200_survives_kill_9(empty: Terminal) -> None:
    """A server is killed while spans come in: every one that was answered 200 is read from the home afterwards."""
    answered: list[int] = []
    with up(empty) as (process, address), httpx.Client(base_url=address, trust_env=False, timeout=20) as client:

        def send(number: int) -> None:
            try:
                answer = client.post("/v1/traces", json=body(number))
            except httpx.TransportError:
                return  # the server has gone
            if answer.status_code == 200:
                answered.append(number)
            if len(answered) == 20:
                process.send_signal(signal.SIGKILL)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(1, 200)))
        process.wait(20)
    assert 20 <= len(answered) < 199
    database = SqliteDatabase(empty.home)
    kept = Traces(database)
    assert {len(kept.get(f"{number:032x}", LOCAL_OPERATOR).spans) for number in answered} == {1}
    database.close()
    shown = empty.ken("trace", f"{answered[0]:032x}", "--json").stdout
    assert [span["service"] for span in json.loads(shown)["spans"]] == ["unknown_service"]
