"""What is carried from a request to every event, message, log line and span that comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import urandom
from typing import Final

CORRELATION: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
TRACEPARENT: Final = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

TRACE: Final = "chobo.trace"
"""Where in an ASGI scope the request's `Trace` is, if somebody further out has already found it."""
ROUTE: Final = "chobo.route"
"""Where in an ASGI scope the path of the request's route is put, as the table has it: `/v1/orders/{id}/cancel`."""


@dataclass(frozen=True, slots=True)
class Trace:
    """`traceparent` as in W3C Trace Context; `correlation_id` is the client's own, else the trace's."""

    correlation_id: str
    traceparent: str

    @property
    def trace_id(self) -> str:
        return self.traceparent[3:35]


def trace(headers: Mapping[bytes, bytes]) -> Trace:
    """Takes over what the client sent where it is well-formed; a fresh one where it is not, as both standards ask."""
    correlation, parent = headers.get(b"x-correlation-id"), headers.get(b"traceparent")
    traceparent = parent.decode() if parent and TRACEPARENT.fullmatch(parent) else fresh()
    if correlation and CORRELATION.fullmatch(correlation):
        return Trace(correlation.decode(), traceparent)
    return Trace(traceparent[3:35], traceparent)  # one id less to look for: the trace's


def fresh() -> str:
    random = urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-01"
