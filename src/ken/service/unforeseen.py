"""What nobody foresaw: the log gets the traceback, without secrets; the client a trace id."""

from __future__ import annotations

import logging
import re
import traceback

from starlette.types import Scope

from ken.errors import KenError

LOG = logging.getLogger("ken.service")

_SECRETS = re.compile(r"(?i)\b(bearer\s+|ken-|sk-)[^\s'\"]+")


def told(error: Exception, scope: Scope) -> KenError:
    """The error as a client may hear it: a KenError as it is, anything else logged and named by its trace id."""
    if isinstance(error, KenError):
        return error
    trace_id = scope["state"]["trace_id"]
    LOG.error("%s %s failed, trace %s\n%s", scope["method"], scope["path"], trace_id, redacted(error))
    return KenError(f"Internal error. The server's log has the details under the trace id {trace_id}.")


def redacted(error: BaseException) -> str:
    """The error's traceback without keys and tokens."""
    return _SECRETS.sub(lambda match: f"{match[1]}...", "".join(traceback.format_exception(error)))
