"""What `ken doctor` looks at, one function each."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import aiohttp
import anyio.to_thread

from ken.alert_settings import DestinationSettings
from ken.cli.running import address_of, is_ken, is_of_home
from ken.embedders import embedder_answers, reranker_answers
from ken.endpoint_settings import EndpointSettings
from ken.errors import KenError
from ken.knowledge.library import Library
from ken.models.weights import find_model
from ken.settings import ModelSettings, Settings, lacking
from ken.wiring import open_home

_OLDEST_PYTHON = (3, 11)
_NEEDED_BYTES = 1_000_000_000
_PATIENCE_S = 5.0
_OTHERS = 0o077
_HTTP_MULTIPLE = 300
_KEY_HEADERS = {"azure": "api-key", "anthropic": "x-api-key"}
"""Where the key stands that isn't OpenAI's bearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a broken thing does not keep the others from being looked at."""
    findings = [_python(), _home(settings.home), _disk(settings.home), _weights(settings)]
    findings += _library(settings)
    findings.append(_port(settings))
    findings += _secrets(settings)
    findings += [_endpoint(model) for model in settings.models if _has_key(model)]
    findings += _of_search(settings)
    findings += _of_telemetry(settings)
    findings += [_told(each) for each in settings.alerts.destinations if each.is_ready]
    return findings


def _secrets(settings: Settings) -> Iterator[Finding]:
    """Each secret that ken.toml names and that isn't here. Where a Ken serves this home, it was started with them."""
    missing = lacking(settings)
    address = address_of(settings, from_here=True)
    is_served = bool(missing) and is_ken(address) and is_of_home(address, settings) is not False
    for each in missing:
        what, _, remedy = each.partition(". ")
        if is_served:
            remedy = (
                "The Ken that runs here has what it was started with; commands that need this one are refused here."
            )
        yield Finding(what="Secret", state="warning" if is_served else "failed", detail=what, remedy=remedy)


def _has_key(table: EndpointSettings) -> bool:
    """Without the key that it wants, an endpoint would only refuse."""
    return table.api_key_env is None or table.api_key is not None


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return Finding(what="Python", state="failed", detail=version, remedy="Ken needs Python 3.11 or newer.")
    return Finding(what="Python", state="ok", detail=version)


def _home(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK) or not place.is_dir():
        remedy = f"Make it writable for this user, or name another home: ken --home FOLDER (looked at {str(place)!r})"
        return Finding(what="Home", state="failed", detail=f"{str(home)!r} can't be written", remedy=remedy)
    if place != home:
        return Finding(what="Home", state="ok", detail=f"{str(home)!r} is not there yet and will be made")
    if home.stat().st_mode & _OTHERS:
        remedy = f"The documents lie there: chmod 700 {home}"
        return Finding(what="Home", state="warning", detail=f"{str(home)!r} is open to other users", remedy=remedy)
    return Finding(what="Home", state="ok", detail=str(home))


def _disk(home: Path) -> Finding:
    place = home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < _NEEDED_BYTES:
        return Finding(what="Disk", state="failed", detail=detail, remedy="Free some space: Ken wants 1 GB to work in.")
    return Finding(what="Disk", state="ok", detail=detail)


def _weights(settings: Settings) -> Finding:
    return _tried("Embedder's weights", lambda: _checked_weights(settings))


def _checked_weights(settings: Settings) -> str:
    files = find_model(settings.model_folder, allow_download=False)
    files.check()
    return f"{str(files.weights)!r}, the published file (SHA-256)"


def _library(settings: Settings) -> Iterator[Finding]:
    """Only of a home that is there: looking must not make one."""
    if settings.database_url is None and not (settings.home / "ken.db").exists():
        remedy = "Put documents in: ken sync FOLDER --collection NAME"
        yield Finding(what="Documents", state="warning", detail="there are none yet", remedy=remedy)
        return
    try:
        yield from asyncio.run(_opened(settings))
    except KenError as error:
        yield _failed("Database and index", error)


async def _opened(settings: Settings) -> list[Finding]:
    """What there is, and what of it isn't as ken.toml says by now."""
    ken = await open_home(settings)
    try:
        sources = await ken.library.status()
        documents = sum(source.documents for source in sources)
        failures = sum(len(source.failures) for source in sources)
        left_out = f"; {failures} files could not be taken (`ken sync` names them)" if failures else ""
        held = "; an older one is held, `ken index use latest` ends that" if await ken.library.is_held() else ""
        found = f"corpus version {ken.library.corpus_version}, {documents} documents of {len(sources)} sources"
        findings = [Finding(what="Database and index", state="ok", detail=f"{found}{left_out}{held}")]
        if behind := await ken.library.behind():
            detail = f"{', '.join(behind)}: not cut as ken.toml says by now; the old passages are searched"
            remedy = "Cut them anew: ken sync NAME, or ken sync FOLDER --collection NAME"
            findings.append(Finding(what="Passages", state="warning", detail=detail, remedy=remedy))
        if documents and not await ken.library.is_embedded():
            findings.append(await _old_vectors(ken.library))
        return findings
    finally:
        await ken.aclose()


async def _old_vectors(library: Library) -> Finding:
    """The documents have vectors of another embedder than ken.toml names, and questions go to that one, too."""
    spaces = library.committer.spaces
    coming = await library.embedding()
    done = f"; {coming.done} of {coming.total} are done" if coming and coming.name == spaces.wanted else ""
    in_use = await anyio.to_thread.run_sync(spaces.book.in_use)
    detail = f"questions still go to {in_use}, which the documents are embedded with, and not to {spaces.wanted}{done}"
    remedy = "Embed them anew: ken index embed, or leave it to a running ken up"
    return Finding(what="Embedding", state="warning", detail=detail, remedy=remedy)


def _port(settings: Settings) -> Finding:
    what = f"Port {settings.port} of {settings.host}"
    try:
        with socket.create_server((settings.host, settings.port)):
            return Finding(what=what, state="ok", detail="free")
    except OSError as error:
        address = address_of(settings, from_here=True)
        if error.errno == errno.EADDRINUSE and is_ken(address):
            found = is_of_home(address, settings)
            if found:
                return Finding(what=what, state="ok", detail="the Ken of this home listens there")
            whose = "the Ken of another home" if found is False else "a Ken that doesn't say whose home it serves"
            remedy = f"Unless that is meant: ken up --port {settings.port + 1}"
            return Finding(what=what, state="warning", detail=f"{whose} listens there", remedy=remedy)
        detail = f"can't be listened on: {error.strerror}"
        remedy = f"Unless it is Ken itself that listens there: ken up --port {settings.port + 1}"
        return Finding(what=what, state="warning", detail=detail, remedy=remedy)


def _endpoint(model: ModelSettings) -> Finding:
    what = f"Model {model.name!r}"
    try:
        status = asyncio.run(_asked(model))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        detail = f"{model.base_url} can't be reached: {error or type(error).__name__}"
        remedy = "Start it, or mend `base_url` of its [[models]] table in ken.toml."
        return Finding(what=what, state="failed", detail=detail, remedy=remedy)
    if status in {401, 403}:
        remedy = f"Check the key in the environment variable {model.api_key_env!r}."
        return Finding(what=what, state="failed", detail=f"{model.base_url} refuses the key", remedy=remedy)
    return Finding(what=what, state="ok", detail=f"{model.base_url} answers")


def _of_search(settings: Settings) -> Iterator[Finding]:
    """The endpoints that a search asks. One sentence is sent to each: a list of models would not tell whether it can do this."""
    embedder, reranker = settings.embedder, settings.reranker
    if embedder is not None and _has_key(embedder):
        yield _tried(f"Embedder {embedder.model!r}", lambda: asyncio.run(embedder_answers(embedder)))
    if reranker is not None and _has_key(reranker):
        found = _tried(f"Reranker {reranker.model!r}", lambda: asyncio.run(reranker_answers(reranker)))
        # Questions are answered without it.
        yield replace(found, state="warning") if found.state == "failed" else found


def _of_telemetry(settings: Settings) -> Iterator[Finding]:
    """Whether the collector takes what is sent, by sending it nothing: a request without spans is a whole one."""
    destination = settings.telemetry.destination
    if destination is None:
        return
    url = destination.traces_url
    try:
        status = asyncio.run(_sent_nothing(url, destination.headers))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        remedy = "Start the collector, or mend `endpoint` of [telemetry]. Ken answers without it; its traces go nowhere else."
        detail = f"{url} can't be reached: {error or type(error).__name__}"
        yield Finding(what="Collector", state="failed", detail=detail, remedy=remedy)
        return
    if status < _HTTP_MULTIPLE:
        yield Finding(what="Collector", state="ok", detail=f"{url} takes traces")
    else:
        remedy = (
            "Check its address (OTLP over HTTP, port 4318 as a rule) and the headers in the variable of `headers_env`."
        )
        yield Finding(what="Collector", state="failed", detail=f"{url} answers with status {status}", remedy=remedy)


async def _sent_nothing(url: str, headers: Mapping[str, str]) -> int:
    patience = aiohttp.ClientTimeout(total=_PATIENCE_S)
    kind = {"content-type": "application/x-protobuf"}
    async with (
        aiohttp.ClientSession(timeout=patience, headers={**headers, **kind}) as session,
        session.post(url, data=b"", allow_redirects=False) as response,
    ):
        return response.status


def _told(table: DestinationSettings) -> Finding:
    """Somebody who is told of alerts. Nothing is sent: people would read it."""
    ways = {"email": f"mail by {table.host}", "slack": "a Slack channel", "webhook": "a webhook"}
    which = "hard alerts alone" if table.severities == ("hard",) else f"{' and '.join(table.severities)} alerts"
    return Finding(
        what=f"Alerts to {table.name!r}", state="ok", detail=f"{ways[table.kind]}, {which}; set up, not tried"
    )


async def _asked(model: ModelSettings) -> int:
    """The status of the endpoint's list of models; nothing is spent by asking for it."""
    key = model.api_key.get_secret_value() if model.api_key else None
    name = _KEY_HEADERS.get(model.kind, "authorization")
    headers = {name: f"Bearer {key}" if name == "authorization" else key} if key else {}
    if model.kind == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
    url = str(model.base_url).rstrip("/").partition("/deployments/")[0] + "/models"
    version = {"api-version": model.api_version} if model.api_version else {}
    patience = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with (
        aiohttp.ClientSession(timeout=patience, headers=headers) as session,
        session.get(url, params=version, allow_redirects=False) as response,
    ):
        return response.status


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, state="ok", detail=look())
    except KenError as error:
        return _failed(what, error)


def _failed(what: str, error: KenError) -> Finding:
    message, _, remedy = str(error).partition(". ")
    return Finding(what=what, state="failed", detail=message, remedy=remedy)
