"""The API's own description (OpenAPI 3.1), as it is served, and kept in docs/openapi.json for clients to be made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import ken

_WITHIN = "#/$defs/"
_SHARED = "#/components/schemas/"

Json = dict[str, Any]


class Described(FastAPI):
    """Describes itself with every schema where OpenAPI wants it.

    Bodies that a route reads by hand bring the schemas which they are made of along (`$defs`, JSON Schema 2020-12, section 8.2.4);
    their references count from the document's root, so in here they would point nowhere.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - FastAPI's own options
        super().__init__(
            title="Ken",
            version=ken.__version__,
            description="Cited answers from an organisation's documents.",
            docs_url=None,
            redoc_url=None,
            **options,
        )

    def openapi(self) -> Json:
        """The description; made once."""
        if self.openapi_schema is None:
            made = get_openapi(
                title=self.title,
                version=self.version,
                openapi_version=self.openapi_version,
                description=self.description,
                routes=self.routes,
            )
            made["paths"] = _hoisted(made["paths"], made["components"]["schemas"], of="")
            self.openapi_schema = made
        return self.openapi_schema


def _hoisted(node: object, schemas: Json, *, of: str) -> object:
    """The same with no `$defs` in it; they go to `schemas`, each under its name and the name of what it is a part of."""
    if isinstance(node, list):
        return [_hoisted(each, schemas, of=of) for each in cast("list[object]", node)]
    if isinstance(node, str):
        return f"{_SHARED}{of}.{node.removeprefix(_WITHIN)}" if node.startswith(_WITHIN) else node
    if not isinstance(node, dict):
        return node
    found = cast("Mapping[str, object]", node)
    if "$defs" in found:
        of = cast("str", found["title"])
    for name, schema in cast("Mapping[str, object]", found.get("$defs", {})).items():
        schemas[f"{of}.{name}"] = _hoisted(schema, schemas, of=of)
    return {name: _hoisted(value, schemas, of=of) for name, value in found.items() if name != "$defs"}
