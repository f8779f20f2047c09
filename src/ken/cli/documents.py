"""`ken documents`: what Ken knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say_json, say_table, tell
from ken.domain.principal import LOCAL_OPERATOR

if TYPE_CHECKING:
    from ken.domain.document import Document
    from ken.wiring import Ken

_PAGE = 500


def documents(
    context: typer.Context,
    *,
    collection: Annotated[str | None, typer.Option("--collection", help="Only this collection's.")] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List the documents, ordered by id."""
    found = in_home(settings_there(context, home), partial(_all, collection=collection))
    if as_json:
        say_json(found)
        return
    rows = [(each.id, each.title, str(each.passages), ",".join(sorted(each.groups))) for each in found]
    if rows:
        say_table(("document", "title", "passages", "groups"), rows)
    tell(f"{len(found)} documents")


async def _all(ken: Ken, *, collection: str | None) -> list[Document]:
    found: list[Document] = []
    page: tuple[Document, ...] | None = None
    while page is None or len(page) == _PAGE:
        after = found[-1].id if found else None
        page = await ken.library.documents(LOCAL_OPERATOR, collection=collection, after=after, limit=_PAGE)
        found += page
    return found
