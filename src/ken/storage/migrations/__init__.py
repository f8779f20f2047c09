"""Alembic's scripts. This file stays free of Alembic: opening an up-to-date home reads it and no more."""

from __future__ import annotations

HEAD = "0008"
"""The revision that `schema.py` describes."""

VERSION_TABLE = "alembic_version"
