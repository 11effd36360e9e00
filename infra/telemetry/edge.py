"""What every HTTP request passes on its way in: it gets its ids, is counted and, if traced, gets a span."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commands.trace import ROUTE, TRACE, trace
from infra.telemetry.current import CURRENT
from infra.telemetry.metrics import Metrics
from infra.telemetry.tracing import Tracing, answered, traceparent_of

UNKNOWN: Final = "(none)"
"""The route of an address that is none of ours: clients must not be able to make up labels."""

ABOUT_US: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: counted, but not traced."""


class Edge:
    """An ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing | None) -> None:
        self._app = app
        self._tracing = tracing
        self._requests = metrics.requests
        self._series: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._count(scope["method"], route_of(scope), status, perf_counter() - began)
            await send(message)

        headers = dict(scope["headers"])
        span = None
        if self._tracing is not None and scope["path"] not in ABOUT_US:
            span = self._tracing.request(headers.get(b"traceparent"))
            headers[b"traceparent"] = traceparent_of(span).encode()
        scope[TRACE] = trace(headers)
        token = CURRENT.set(scope[TRACE])
        try:
            await self._app(scope, receive, sending)
        finally:
            CURRENT.reset(token)
            if span is not None:
                answered(span, scope["method"], route_of(scope), status)

    def _count(self, method: str, route: str, status: int, seconds: float) -> None:
        key = method, route, status
        if (series := self._series.get(key)) is None:
            series = self._series[key] = self._requests.labels(*map(str, key))
        series.observe(seconds)


def route_of(scope: Scope) -> str:
    """`/v1/orders/{id}/cancel`, never the address itself."""
    if (route := scope.get(ROUTE)) is not None:
        return str(route)
    if "endpoint" not in scope:
        return UNKNOWN
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}")
    return path
