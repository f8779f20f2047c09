"""`ken mock-provider`: a model server that fails as it is told to, for tests, demonstrations and load tests."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.output import say, tell
from ken.errors import InvalidSetting

if TYPE_CHECKING:
    from ken.mock.writing import Tokenizer

_PORT = 9100


def mock_provider(
    *,
    host: Annotated[str, typer.Option("--host", help="Listen on this address.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Listen on this port; 0 for any free one [default: 9100]")
    ] = _PORT,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            "--tokenizer", help="Bill by this tokenizer.json [default: words and punctuation marks, a token each]"
        ),
    ] = None,
) -> None:
    """Serve a fault-injecting model until Ctrl-C or SIGTERM: OpenAI's and Anthropic's wires, embeddings and rerank.

    How it behaves stands in the model's name, as in `mock-ttft50-itl5-len40-cut12`; the guide lists the words. What it
    would invoice is at GET /mock/ledger.
    """
    asyncio.run(_serve(host, port, tokens=_tokenizer(tokenizer)))


async def _serve(host: str, port: int, *, tokens: Tokenizer | None) -> None:
    from ken.mock.serving import running  # noqa: PLC0415 - waits until the command runs

    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    try:
        async with contextlib.AsyncExitStack() as stack:
            mock = await stack.enter_async_context(running(host=host, port=port, tokens=tokens))
            say(f"The mock provider is at {mock.url}")
            tell(f"Its books are at {mock.url.removesuffix('/v1')}/mock/ledger")
            await ending.wait()
    except OSError as error:
        taken = "Another program listens there already" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise InvalidSetting(
            f"The mock provider can't listen on port {port} of {host}: {taken}. Choose another: --port 0"
        ) from error


def _tokenizer(path: Path | None) -> Tokenizer | None:
    if path is None:
        return None
    from ken.mock.tokenizer_file import TokenizerFile  # noqa: PLC0415 - the library waits until it is needed

    return TokenizerFile(path)
