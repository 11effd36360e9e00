"""The request that the code is at work for, for those who write log lines about it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from commands.trace import Trace

CURRENT: Final[ContextVar[Trace | None]] = ContextVar("chobo_trace", default=None)
