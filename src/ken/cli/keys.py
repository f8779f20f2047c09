"""`ken keys`: who may call from elsewhere."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of, settings_there
from ken.cli.output import say, say_json, say_table, tell

if TYPE_CHECKING:
    from ken.storage.keys import Key
    from ken.wiring import Ken

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.", rich_markup_mode=None)


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is, or what it is for.")],
    *,
    groups: Annotated[
        str, typer.Option("--groups", help="What it may read: a,b; `operators` reads and changes everything.")
    ] = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a key and print it; it can't be shown again."""
    named = frozenset(group.strip() for group in groups.split(",") if group.strip())

    async def work(ken: Ken) -> tuple[Key, str]:
        return await anyio.to_thread.run_sync(ken.keys.create, name, named)

    key, secret = in_home(settings_of(context, home), work)
    if as_json:
        say_json({"id": key.id, "name": key.name, "groups": key.groups, "key": secret})
        return
    say(secret)
    tell(
        f"{key.id} for {key.name!r}, groups: {', '.join(sorted(key.groups)) or 'none (reads what everyone may read)'}."
    )
    tell("Keep it now: it is not stored and can't be shown again.")


@app.command("list")
def list_keys(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the keys, revoked ones too."""

    async def work(ken: Ken) -> tuple[Key, ...]:
        return await anyio.to_thread.run_sync(ken.keys.list)

    found = in_home(settings_there(context, home), work)
    if as_json:
        say_json(found)
        return
    rows = [
        (key.id, key.name, ",".join(sorted(key.groups)), _day(key.created_at), _day(key.revoked_at)) for key in found
    ]
    if rows:
        say_table(("id", "name", "groups", "made", "revoked"), rows)
    else:
        tell("There are no keys. `ken keys create NAME` makes one.")


@app.command("revoke")
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="As `ken keys list` shows it.")],
    *,
    home: HomeOption = None,
) -> None:
    """Revoke a key for good; a running Ken notices within a second."""

    async def work(ken: Ken) -> Key:
        return await anyio.to_thread.run_sync(partial(ken.keys.revoke, key_id))

    key = in_home(settings_there(context, home), work)
    tell(f"{key.id} ({key.name!r}) is revoked.")


def _day(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d", time.gmtime(at))
