"""What the head of a reStructuredText or AsciiDoc document states, beside YAML front matter above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ken.knowledge.parse.metadata import Stated, closed, stated

OWN_KEYS = frozenset("title owner groups effective review_by supersedes".split())
_OWNERS = ("author", "authors", "organization", "maintainer")


def stated_in_head(values: Mapping[str, str], front_matter: Stated) -> Stated:
    """Metadata from the head's fields, lower-case names to texts; what `front_matter` says counts before them.

    Groups that are given in both places close the document: nobody can tell which are meant.
    """
    told = [(key.replace("-", "_"), value) for key, value in values.items() if key.replace("-", "_") in OWN_KEYS]
    owner = next((values[key] for key in _OWNERS if values.get(key)), None)
    if owner and not any(key == "owner" for key, _ in told):
        told.append(("owner", owner))
    head, above = stated(told), front_matter.metadata
    merged = Stated(
        replace(
            head.metadata,
            title=above.title or head.metadata.title,
            owner=above.owner or head.metadata.owner,
            groups=above.groups if above.groups is not None else head.metadata.groups,
            effective=above.effective or head.metadata.effective,
            review_by=above.review_by or head.metadata.review_by,
            supersedes=above.supersedes or head.metadata.supersedes,
        ),
        (*front_matter.warnings, *head.warnings),
    )
    if above.groups is not None and head.metadata.groups is not None:
        return closed(merged, "groups is given twice; until that is mended only operators may see the document.")
    return merged
