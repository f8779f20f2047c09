"""Every error that Ken raises on purpose, in one tree.

    KenError
    ├── InvalidInput            the caller sent something that can't be used         (HTTP 400)
    │   ├── InvalidSetting      a value in ken.toml or the environment
    │   ├── InvalidCases        a line of a question file
    │   └── Unsupported         the model asked for lacks what is asked of it
    ├── NotAuthorised           no key, an unknown key                               (HTTP 401)
    ├── Forbidden               a known principal that may not do this               (HTTP 403)
    ├── NotFound                no such thing, or none that this principal may see   (HTTP 404)
    ├── Conflict                it exists already, or somebody is at it              (HTTP 409)
    │   └── SyncRunning         another sync holds the home's lock
    ├── TooLarge                over a stated limit                                  (HTTP 413)
    ├── BudgetExceeded          the money or tokens of a budget are used up          (HTTP 429)
    ├── Unpriced                a budget of money binds, and the price is unknown    (HTTP 403)
    ├── Overloaded              too much is asked for at once: refused before a wait (HTTP 429)
    ├── Unreadable              a document that can't be parsed: file and reason     (HTTP 422)
    ├── SourceError             a place where documents live failed                  (HTTP 502)
    │   ├── SourceDown          it can't be reached, or asks to wait                 (HTTP 503)
    │   ├── SourceDenied        it doesn't let us in: a key is missing, wrong or too weak
    │   └── SourceMisbehaves    it breaks its own protocol, or leads where it must not
    ├── DeadlineExceeded        the time given to this question is used up           (HTTP 504)
    ├── ModelError              a chat model or embedder failed                      (HTTP 502)
    │   ├── ModelUnavailable    it can't be reached or loaded                        (HTTP 503)
    │   │   └── BreakerOpen     it failed so often lately that it is left alone for a while
    │   ├── ModelRefused        it answered with an error: status and message
    │   ├── EmbedderChanged     its vectors can't be compared with those that are stored
    │   └── ModelInterrupted    its stream ended before its answer did
    │       └── ModelTimedOut   it sent nothing for longer than it is waited for
    ├── DeliveryFailed          a message about alerts did not arrive                (HTTP 502)
    └── StorageError            the home can't be read or written                    (HTTP 500)

A message says what was wrong, where, and what to do about it. Whoever shows an error shows its message and nothing else.
"""

from __future__ import annotations

import time


class KenError(Exception):
    """The root: anything that Ken raises on purpose. `param` is the parameter that it is about, where it is about one."""

    retry_after_s: float | None = None
    """It may work after so many seconds; None where nobody knows, or where it won't by waiting."""

    def __init__(self, message: str = "", *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class InvalidInput(KenError):
    """The caller sent something that can't be used."""


class InvalidSetting(InvalidInput):
    """A value in ken.toml or in the environment can't be used."""


class InvalidCases(InvalidInput):
    """A line of a question file can't be used."""


class Unsupported(InvalidInput):
    """The model that is asked for lacks what is asked of it: tools, images, a schema."""


class NotAuthorised(KenError):
    """No key was given where one is needed, or the key is unknown."""


class Forbidden(KenError):
    """The principal is known and may not do this."""


class NotFound(KenError):
    """There is no such thing, or none that this principal may see: the two look alike on purpose."""


class Conflict(KenError):
    """It exists already, or somebody else is at it."""


class SyncRunning(Conflict):
    """Another sync holds the home's lock."""


class TooLarge(KenError):
    """Over a stated limit."""


class BudgetExceeded(KenError):
    """A budget is used up until `resets_at`, seconds since the epoch."""

    def __init__(self, message: str = "", *, resets_at: float) -> None:
        super().__init__(message)
        self.resets_at = resets_at
        self.retry_after_s = max(0.0, resets_at - time.time())


class Unpriced(KenError):
    """A budget of money binds a call whose price is unknown, so that it could not hold."""


class Overloaded(KenError):
    """More is asked for at once than may wait, or than can be answered in time; `retry_after_s` seconds may help."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreadable(KenError):
    """A document can't be parsed; the message names the file and the reason."""


class SourceError(KenError):
    """A place where documents live failed; what Ken has of it stays."""


class SourceDown(SourceError):
    """The source can't be reached, or asks to wait: `retry_after_s` seconds, where it says how long."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceDenied(SourceError):
    """The source doesn't let us in: a key is missing, wrong, or not allowed to read there."""


class SourceMisbehaves(SourceError):
    """The source breaks its own protocol, pages without end, or leads where it must not."""


class DeadlineExceeded(KenError):
    """The time given to this question is used up."""


class ModelError(KenError):
    """A chat model or an embedder failed."""


class ModelUnavailable(ModelError):
    """The model can't be reached or loaded."""


class BreakerOpen(ModelUnavailable):
    """The model failed so often lately that it is not asked for a while; it is tried again in `retry_after_s` seconds."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ModelRefused(ModelError):
    """The model's server answered with an error: the message holds its status and words.

    `status` is the HTTP status, `retry_after_s` the wait that the server asked for, in seconds, where it did.
    """

    def __init__(self, message: str = "", *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class EmbedderChanged(ModelError):
    """What an embedder gives can't be compared with the vectors that are stored: it is another model, whatever its name."""


class ModelInterrupted(ModelError):
    """The model's stream ended before its answer did."""


class ModelTimedOut(ModelInterrupted):
    """The model sent nothing, or did not come to its end, in the time that it is waited for."""


class DeliveryFailed(KenError):
    """A message about alerts did not arrive; `is_final` where trying again won't help."""

    def __init__(self, message: str = "", *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class StorageError(KenError):
    """The home can't be read or written."""
