"""What PostgreSQL says went wrong, in words that tell an operator what to do."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ken.errors import InvalidInput, KenError, StorageError
from ken.storage.faults import unfit

REMEDIES: dict[str, str] = {
    "08": "can't be reached, or the connection was lost. Check that the server runs and that its address is right.",
    "25006": "can't be written: the server takes no writes. Give Ken the address of the primary.",
    "25P03": "took the connection away in the middle of the work. Try again in a moment.",
    "25P04": "took the connection away in the middle of the work. Try again in a moment.",
    "28": "doesn't let us in. Check the user and the password in its address.",
    "3D": "doesn't exist on that server. Create it, or mend its address.",
    "3F": "has no schema that this user may use. Check the user's `search_path`.",
    "40": "was written by another process at the same moment. Try again.",
    "42501": "refuses this user. Make it the owner of the database, as docs/guides/postgresql.md shows.",
    "53100": "could not be written: the server's disk is full. Free some space and try again.",
    "53200": "could not be used: the server is out of memory.",
    "53300": "takes no more connections. Raise `max_connections` on the server, or run fewer replicas.",
    "53": "could not be used: the server lacks the means. Look into its log.",
    "55P03": "is being written by another process, and waiting did not help. Try again in a moment.",
    "57014": "took too long, or the work was cancelled. Try again in a moment.",
    "57": "is stopping or starting. Try again in a moment.",
    "58": "could not be read or written: the server's system failed. Look into its log.",
    "XX": "is damaged, or the server failed. Look into its log, and restore a backup where it says so.",
}
"""By SQLSTATE (PostgreSQL, appendix A), the longest that the code begins with. What only a mistake in Ken's own SQL can
bring is not here: it is left to surface as it is."""

_NO_EXTENSION = (
    "lacks the extension `vector`. Install pgvector on the server and have a superuser run, in this database, "
    "`CREATE EXTENSION vector`."
)
_UNFIT = ("22", "54")
"""Values that no column holds, and those above the server's limits."""


def translated(name: str, error: SQLAlchemyError) -> KenError | None:
    """Say plainly what went wrong with the database called `name`; None for a mistake of Ken's own."""
    if isinstance(error, PoolTimeout):
        return StorageError(f"The database {name} is busy: all our connections are in use. Try again in a moment.")
    if isinstance(error, DBAPIError) and error.orig is not None:
        return _of_server(name, error)
    if isinstance(error, StatementError) and isinstance(error.orig, Exception):
        return unfit(error.orig)
    return None


def _of_server(name: str, error: DBAPIError) -> KenError | None:
    state = getattr(error.orig, "sqlstate", None) or _state_of_words(error)
    if state is None:
        return None
    if 'extension "vector"' in str(error.orig):
        return StorageError(f"The database {name} {_NO_EXTENSION}")
    if state.startswith(_UNFIT):
        return _too_much(error)
    found = [remedy for start, remedy in sorted(REMEDIES.items()) if state.startswith(start)]
    return StorageError(f"The database {name} {found[-1]}") if found else None


def _state_of_words(error: DBAPIError) -> str | None:
    """The SQLSTATE of a refusal that came before any session was there: the driver has only words of it."""
    words = str(error.orig)
    for sign, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ('role "', "28000"),
        ('database "', "3D000"),
        ("too many clients", "53300"),
        ("connection slots", "53300"),
        ("is starting up", "57P03"),
        ("is shutting down", "57P03"),
    ):
        if sign in words and (sign[-1] != '"' or "does not exist" in words):
            return state
    if type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout"} or error.connection_invalidated:
        return "08006"
    return "22000" if type(error.orig).__name__ == "DataError" else None


def _too_much(error: DBAPIError) -> InvalidInput:
    return InvalidInput(f"A text or number can't be stored: {str(error.orig).splitlines()[0]}. Mend it and try again.")
