"""The command and the guide, the app under another server, and rerank as Ken's own reranker asks for it."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import uvicorn

from ken.gateway.reranking import GatewayReranker
from ken.mock import behaviour
from ken.mock.app import MockProvider
from ken.mock.serving import Running
from ken.models.protocols import RerankPassage
from ken.models.rerank_endpoint import EndpointScores
from ken.models.reranking import RerankEndpoint

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "mock-provider.md"


def test_the_command_serves_until_it_is_told_to_end() -> None:
    """It says where it is, answers there, and ends cleanly on SIGTERM."""
    command = [sys.executable, "-m", "ken", "mock-provider", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("The mock provider is at ")
        body = {"model": "mock-len3", "messages": [{"role": "user", "content": "Hello"}]}
        told = httpx.post(f"{url}/chat/completions", json=body, trust_env=False).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert told["usage"]["completion_tokens"] == 3


def test_a_wrong_tokenizer_and_a_taken_port_are_explained(tmp_path: Path) -> None:
    """A file that is no tokenizer is named, and so is a port that another program listens on."""
    (tmp_path / "tokenizer.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        for options, words in (
            (["--tokenizer", str(tmp_path / "tokenizer.json")], "is no tokenizer.json"),
            (["--port", port], f"can't listen on port {port}"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "ken", "mock-provider", *options],
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
            assert done.returncode == 2
            assert words in done.stderr


def test_the_guide_has_every_word() -> None:
    """Each word of the grammar, each family and each status stands in the guide, and none that isn't one."""
    text = GUIDE.read_text("utf-8")
    stems = {re.sub(r"\d+$", "", word) for word in re.findall(r"`([a-z]+\d*)`", text)}
    words = {*behaviour.NUMBERS, *behaviour.PLACED, *behaviour.BARE, *behaviour.FLAGS, *behaviour.FAMILIES}
    words |= {f"usage{shape}" for shape in behaviour.USAGE_SHAPES}
    assert words - stems == set()
    assert all(str(status) in text for status in behaviour.STATUSES)
    for name in re.findall(r"`(mock-[a-z0-9-]+)`", text):
        if name != "mock-provider":
            behaviour.parse(name)


async def test_the_app_runs_under_another_server() -> None:
    """The app is plain ASGI: uvicorn serves it, cuts included."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(MockProvider(), log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"
        body = {"model": "mock-len2-seed1", "messages": [{"role": "user", "content": "Hello"}]}
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.post(url, json=body)).json()
        server.should_exit = True
        await serving
    assert told["usage"]["total_tokens"] == 10


async def test_ken_reranks_by_it(mock: Running) -> None:
    """Ken's own reranker reads its scores, and the books have what was read."""
    endpoint = RerankEndpoint(base_url=mock.url, model="mock")
    wire = EndpointScores(endpoint)
    reranker = GatewayReranker(wire, endpoint, close=wire.aclose)
    scores = await reranker.score("open door", [RerankPassage(0, "a wall"), RerankPassage(1, "the door")])
    await reranker.aclose()
    assert scores.tolist() == [0.0, 0.5]
    assert mock.ledger.entries()[0].input_tokens == 6
