"""One HTTP request and its response, on bare ASGI: what every command pays for, so nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope, Send

from commands.codes import BODY_TOO_LARGE, NOT_ACCEPTABLE, UNSUPPORTED_MEDIA_TYPE
from commands.problems import Problem
from commands.trace import TRACE, Trace, trace
from domain.access import Unauthenticated

JSON: Final = b"application/json"
NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
PROBLEM: Final = b"application/problem+json"
ACCEPTED: Final = frozenset({"*/*", "application/*", "application/json", "application/problem+json"})

Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")


class Gone(Exception):
    """The client went away before its request was complete."""


class Request:
    """`limits` are headers of its answer, whatever that is."""

    __slots__ = ("headers", "limits", "method", "path", "receive", "scope", "trace")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.limits: Headers = []
        self.receive = receive
        self.trace: Trace = scope.get(TRACE) or trace(self.headers)

    def bearer(self) -> str | None:
        """The access token, None if none came. Raises Unauthenticated for another scheme."""
        header = self.headers.get(b"authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Unauthenticated
        return token.strip().decode("latin-1")

    def require_acceptable(self) -> None:
        accept = self.headers.get(b"accept")
        if accept is not None and accept != b"*/*" and not takes_json(accept.decode("latin-1")):
            raise Problem(NOT_ACCEPTABLE, "answers are application/json or application/problem+json")

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of `work`, begun after the body was read; it ends when the client goes away. Raises Gone."""
        working, gone = asyncio.create_task(work), asyncio.create_task(self._disconnected())
        try:
            await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Gone
        finally:
            working.cancel()
            gone.cancel()
            await asyncio.wait({working, gone})

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def json(self, limit: int) -> bytes:
        """The body. Raises Problem when it is not declared as JSON or has more than `limit` bytes."""
        body = await self.body(limit)
        if body:
            self._require_json()
        return body

    def _require_json(self) -> None:
        kind = self.headers.get(b"content-type", b"")
        if kind != JSON and not is_json(kind.decode("latin-1")):
            raise Problem(UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json, in UTF-8")

    async def body(self, limit: int) -> bytes:
        """Counts what really comes: Content-Length only serves to refuse early."""
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise too_large(limit)
        message = await self.receive()
        if not message.get("more_body", False) and message["type"] == "http.request":
            return whole([message.get("body", b"")], limit)
        chunks, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise Gone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise too_large(limit)
            if not message.get("more_body", False):
                return b"".join(chunks)
            message = await self.receive()


def whole(chunks: list[bytes], limit: int) -> bytes:
    body = b"".join(chunks)
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    # the rest of the body is not read, so the connection cannot be used again
    close = {"connection": "close"}
    return Problem(BODY_TOO_LARGE, f"at most {limit} bytes are taken", {"maximum": limit}, headers=close)


def takes_json(accept: str) -> bool:
    return any(essence(part) in ACCEPTED and not refused_weight(part) for part in accept.split(","))


def refused_weight(part: str) -> bool:
    """Whether a media range says `q=0`: anything but this."""
    return any(weight.strip("0.") == "" for weight in parameters(part, "q"))


def parameters(kind: str, name: str) -> list[str]:
    """The values of one parameter of a media type."""
    pairs = (parameter.partition("=") for parameter in kind.split(";")[1:])
    return [value.strip() for key, _, value in pairs if key.strip().lower() == name]


def essence(kind: str) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`."""
    return kind.split(";", 1)[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a Content-Type is JSON in UTF-8."""
    name = essence(kind)
    if name != "application/json" and not (name.startswith("application/") and name.endswith("+json")):
        return False
    return all(charset.strip('"').lower() in ("utf-8", "utf8") for charset in parameters(kind, "charset"))


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    headers: Headers = field(default_factory=list)
    kind: bytes = JSON

    async def send(self, send: Send, trace: Trace, *, head: bool = False) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.all_headers(trace)})
        await send({"type": "http.response.body", "body": b"" if head else self.body})

    def all_headers(self, trace: Trace) -> Headers:
        headers = [*self.headers, (b"x-correlation-id", trace.correlation_id.encode()), NOSNIFF]
        if self.status != 304:
            headers += [(b"content-type", self.kind), (b"content-length", b"%d" % len(self.body))]
        return headers


def encoded(headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def problem_response(problem: Problem, trace: Trace) -> Response:
    headers = [*encoded(problem.headers.items()), (b"cache-control", b"no-store")]
    return Response(problem.sort.status, problem.body(trace.trace_id), headers, PROBLEM)
