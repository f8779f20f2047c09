"""What an Office file says about itself in its core properties."""

from __future__ import annotations

from ken.knowledge.parse.metadata import Stated, Value, keyword_values, stated
from ken.knowledge.parse.office_archive import OfficeArchive

_PART = "docProps/core.xml"
_CORE = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_DC = "{http://purl.org/dc/elements/1.1/}"
# What a program calls every file that nobody has given a title.
_NO_TITLES = frozenset({"powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint"})


def properties(archive: OfficeArchive) -> Stated:
    """Title, author, and keywords of the form `groups: finance, legal; effective: 2026-02-01`, which count first."""
    core = archive.xml(_PART)
    if core is None:
        return stated(())
    title = core.findtext(f"{_DC}title") or ""
    values: list[tuple[str, Value]] = [
        ("title", "" if title.strip().lower() in _NO_TITLES else title),
        ("owner", core.findtext(f"{_DC}creator") or ""),
    ]
    given = keyword_values(core.findtext(f"{_CORE}keywords") or "")
    keys = {key.strip().lower() for key, _ in given}
    return stated([entry for entry in values if entry[0] not in keys] + given)
