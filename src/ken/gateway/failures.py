"""What a failed call means: whether the model is to blame, whether another try may succeed, whether another model may."""

from __future__ import annotations

from ken.errors import (
    BreakerOpen,
    DeadlineExceeded,
    KenError,
    ModelInterrupted,
    ModelRefused,
    ModelTimedOut,
    ModelUnavailable,
    Overloaded,
    Unsupported,
)

_TIMED_OUT = 408
_TOO_MANY = 429
_SERVER = 500
_OF_THE_REQUEST = frozenset({400, 413, 422})
"""The request itself is at fault: every model would say so."""


def is_overload(error: KenError) -> bool:
    """The provider says that we ask too much of it."""
    return isinstance(error, ModelRefused) and error.status == _TOO_MANY


def is_transient(error: KenError) -> bool:
    """The same model may well answer the same request a moment later.

    So with 408, 429 and all of 5xx (529 too), and where the connection failed, was cut, or brought nothing in time. An open
    breaker is left alone; so is all that another try can't change.
    """
    if isinstance(error, ModelRefused):
        return error.status is not None and (error.status in {_TIMED_OUT, _TOO_MANY} or error.status >= _SERVER)
    return isinstance(error, ModelUnavailable | ModelInterrupted) and not isinstance(error, BreakerOpen)


def is_fault(error: KenError) -> bool:
    """The dependency failed, so that its breaker counts it.

    What is transient, 429 included: a provider that is overloaded, by us or by others, is best left alone. No other 4xx: those
    are the caller's or the operator's, and an open breaker would hide what they say.
    """
    return is_transient(error)


def is_answerable_by_another(error: KenError) -> bool:
    """Another model may answer where this one failed.

    401, 403 and 404 are among these: they are about this model's entry in ken.toml, and the next entry is another. A budget that
    is used up is not: it is the asker's, whichever model answers. Neither is a deadline.
    """
    if isinstance(error, ModelRefused):
        return error.status not in _OF_THE_REQUEST
    return isinstance(error, ModelUnavailable | ModelInterrupted | Overloaded | Unsupported)


def retry_after_s(error: KenError) -> float | None:
    """The wait in seconds that whoever failed asked for, where it did."""
    if isinstance(error, ModelRefused | Overloaded | BreakerOpen):
        return error.retry_after_s
    return None


def in_words(error: KenError) -> str:
    """The kind of an error, as metrics and spans count it: `429`, `connection`, `timeout`."""
    match error:
        case ModelRefused(status=int(status)):
            return str(status)
        case BreakerOpen():
            return "breaker_open"
        case ModelUnavailable():
            return "connection"
        case ModelTimedOut():
            return "timeout"
        case ModelInterrupted():
            return "interrupted"
        case Overloaded():
            return "overloaded"
        case DeadlineExceeded():
            return "deadline"
        case _:
            return type(error).__name__
