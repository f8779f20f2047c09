"""Stores by where they are, for tests with several processes."""

from __future__ import annotations

from pathlib import Path

from ken.storage.database import Database
from ken.storage.postgres import PostgresDatabase
from ken.storage.sqlite import SqliteDatabase


def opened_at(place: str) -> Database:
    """Open the database of a home, or of an address."""
    return PostgresDatabase(place) if place.startswith("postgres") else SqliteDatabase(Path(place))
