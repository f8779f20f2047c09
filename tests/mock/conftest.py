from __future__ import annotations

from collections.abc import AsyncGenerator

import openai
import pytest

from ken.mock.serving import Running, running


@pytest.fixture
async def mock() -> AsyncGenerator[Running]:
    async with running() as started:
        yield started


@pytest.fixture
async def client(mock: Running) -> AsyncGenerator[openai.AsyncOpenAI]:
    """OpenAI's own client, told to try once."""
    async with openai.AsyncOpenAI(base_url=mock.url, api_key="any", max_retries=0, timeout=20) as made:
        yield made
