"""What a drill is run on: a folder with homes that are its own, a provider whose faults it switches, a Ken for each home."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from ken.mock.behaviour import FAMILIES
from ken.operations.children import Child, ken_up, run_ken
from ken.operations.copied_home import Toml, copy_home, link_models, write_settings
from ken.operations.drill.client import Asker, new_session
from ken.operations.drill.documents import COLLECTION, write
from ken.operations.drill.switch import HEALTHY, SWITCHED, Switch, switch
from ken.storage.sqlite import make_home

PRIMARY, SECONDARY, TIER = "drill-primary", "drill-secondary", "tier-1"
SHORT_S = 0.6
"""How long the first model is waited for: what hangs has to be given up before anybody gets tired of the drill."""
_PRICE = FAMILIES["mock"]
_BREAKER: Toml = {
    "window_s": 30.0,
    "min_calls": 5,
    "error_rate": 0.5,
    "slow_s": 0.4,
    "cooldown_s": 0.4,
    "probe_fraction": 1.0,
    "successes": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """The folder and the provider; homes are made of it."""

    folder: Path
    environment: Mapping[str, str]
    provider: Switch
    """Of the first model. Its faults are switched."""
    second: Switch
    """Of the second model, and it works."""
    session: aiohttp.ClientSession
    source: Path | None = None
    """The home to copy; None: an empty one."""
    embedder: Path | None = None
    """A home whose built embedder is used, so that it isn't built again."""
    redis: str | None = None
    postgres: str | None = None
    made: dict[str, Path] = field(default_factory=dict[str, Path])

    async def home(
        self, name: str, *, settings: Toml | None = None, environment: Mapping[str, str] | None = None
    ) -> Path:
        """Make a home with the drill's documents in it, once for each name."""
        if name in self.made:
            return self.made[name]
        place = self.folder / name
        tables = {**self.tables(), **(settings or {})}
        if self.source is not None and "embedder" not in tables:
            await asyncio.to_thread(copy_home, self.source, place, settings=tables)
        else:
            make_home(place)
            write_settings(place, tables)
            if self.embedder is not None:
                link_models(self.embedder, place)
        pages = await asyncio.to_thread(write, self.folder / "pages")
        told = {**self.environment, **(environment or {})}
        await run_ken(place, "sync", str(pages), "--collection", COLLECTION, environment=told)
        self.made[name] = place
        return place

    def tables(self) -> dict[str, object]:
        """The settings of each copy: two models behind one tier, and nothing that leads out."""
        first = {"name": PRIMARY, "model": SWITCHED, "connect_s": 2.0, "first_token_s": SHORT_S, "stall_s": SHORT_S}
        second = {"name": SECONDARY, "model": f"{HEALTHY}-id.second", "connect_s": 2.0, "first_token_s": 10.0}
        price = {"input": _PRICE.input, "output": _PRICE.output}
        return {
            "alerts": {"every_s": 1.0},
            "cache": False,
            "deadline_s": 12.0,
            "default_model": PRIMARY,
            "models": [{**first, "base_url": self.provider.url}, {**second, "base_url": self.second.url}],
            "prices": {PRIMARY: price, SECONDARY: price},
            "tiers": {TIER: {"models": [PRIMARY, SECONDARY]}},
            "gateway": {"backoff_s": 0.005, "longest_backoff_s": 0.02, "breaker": _BREAKER},
        }

    @asynccontextmanager
    async def serving(
        self, home: Path, *, environment: Mapping[str, str] | None = None
    ) -> AsyncGenerator[tuple[Child, Asker]]:
        """A Ken for a home until the end of the block."""
        async with ken_up(home, environment={**self.environment, **(environment or {})}) as child:
            yield child, Asker(self.session, child.url)


@asynccontextmanager
async def rig(
    folder: Path,
    *,
    environment: Mapping[str, str],
    source: Path | None = None,
    embedder: Path | None = None,
    shared: tuple[str | None, str | None] = (None, None),
) -> AsyncGenerator[Rig]:
    """Serve the providers until the end of the block; `shared` are the addresses of a Redis and a PostgreSQL."""
    async with switch() as provider, switch() as second, new_session() as session:
        yield Rig(
            folder=folder,
            environment=environment,
            provider=provider,
            second=second,
            session=session,
            source=source,
            embedder=embedder,
            redis=shared[0],
            postgres=shared[1],
        )
