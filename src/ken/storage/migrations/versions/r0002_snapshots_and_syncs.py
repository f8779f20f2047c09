"""Snapshots of the corpus, the state of each listed document, and a row for each sync."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import GROUPS, JSON_VALUE, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and columns; what is current becomes the first snapshot."""
    for column in (
        sa.Column("policy", Text(), nullable=False, server_default=""),
        sa.Column("cursor", Text()),
        sa.Column("listed_at", sa.Float()),
        sa.Column("problem", Text(), nullable=False, server_default=""),
        sa.Column("problem_since", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try", sa.Float()),
    ):
        op.add_column("sources", column)
    for column in (
        sa.Column("staged", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("modified", Text()),
        sa.Column("url", Text()),
        sa.Column("lineage", JSON_VALUE, nullable=False, server_default="{}"),
        sa.Column("warnings", JSON_VALUE, nullable=False, server_default="[]"),
    ):
        op.add_column("documents", column)
    op.add_column("passages", sa.Column("header", Text(), nullable=False, server_default=""))
    op.drop_table("failures")
    _tables()
    _first_snapshot()


def _tables() -> None:
    op.create_table(
        "listings",
        sa.Column("source", Text(), nullable=False),
        sa.Column("path", Text(), nullable=False),
        sa.Column("state", Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.Float()),
        sa.Column("stamp", Text()),
        sa.Column("version", Text(), nullable=False),
        sa.Column("groups", GROUPS),
        sa.Column("about", JSON_VALUE),
        sa.Column("fetched_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("source", "path"),
    )
    op.create_table(
        "syncs",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("source", Text(), nullable=False),
        sa.Column("collection", Text(), nullable=False),
        sa.Column("state", Text(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("path", Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("added", "changed", "unchanged", "deleted", "failed", "skipped", "passages")
        ),
        sa.Column("corpus_version", sa.Integer()),
    )
    op.create_index("syncs_by_source", "syncs", ["source", "id"])
    op.create_table(
        "snapshots",
        sa.Column("corpus_version", sa.Integer(), primary_key=True),
        sa.Column("content", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("generation", Text(), nullable=False),
        sa.Column("source", Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("documents", "added", "changed", "deleted")),
    )
    op.create_table(
        "memberships",
        sa.Column("document_id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer()),
        sa.PrimaryKeyConstraint("document_id", "version", "first"),
    )


def _first_snapshot() -> None:
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE documents SET staged = NOT current"))
    facts = {row.key: row.value for row in connection.execute(sa.text("SELECT key, value FROM home"))}
    if "corpus_version" not in facts:
        return
    version = int(facts["corpus_version"])
    for key in ("content", "head", "last_version"):
        connection.execute(sa.text("INSERT INTO home VALUES (:key, :version)"), {"key": key, "version": str(version)})
    connection.execute(
        sa.text("INSERT INTO memberships SELECT id, version, :version, NULL FROM documents WHERE current"),
        {"version": version},
    )
    connection.execute(
        sa.text(
            "INSERT INTO snapshots SELECT :version, :version, :now, :generation, '', count(*), 0, 0, 0 FROM documents WHERE current"
        ),
        {"version": version, "now": time.time(), "generation": facts.get("index_generation", "")},
    )
