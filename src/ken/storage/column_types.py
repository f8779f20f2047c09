"""Types of columns that mean the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

_NUL, _REPLACEMENT = "\0", "\ufffd"


class Text(sa.TypeDecorator[str]):
    """Text of any length, ordered by code points.

    PostgreSQL's text can't hold U+0000: it is kept there as U+FFFD, which leaves every later character in its place.
    Its order is that of the database's language, unless a column says otherwise.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        """The type as this database has it."""
        return dialect.type_descriptor(sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text as this database can hold it."""
        if value is not None and _NUL in value and dialect.name == "postgresql":
            return value.replace(_NUL, _REPLACEMENT)
        return value


JSON_VALUE = sa.JSON(none_as_null=True)
"""Arrays and flat objects, their keys in the order in which they were put; None is NULL."""

GROUPS = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""Sorted names of groups: two columns of them can be compared."""
