"""The telemetry of one process, put together from the settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.settings import Settings
from infra.telemetry.edge import Edge
from infra.telemetry.metrics import Metrics
from infra.telemetry.tracing import Tracing, provider

TEXT: Final = "text/plain; version=1.0.0; charset=utf-8"

logging.getLogger("opentelemetry").setLevel(logging.WARNING)


class Telemetry:
    def __init__(self, tracing: Tracing | None = None) -> None:
        self.metrics = Metrics()
        self.tracing = tracing

    def edge(self) -> Middleware:
        return Middleware(Edge, metrics=self.metrics, tracing=self.tracing)

    def route(self) -> Route:
        async def metrics(_: Request) -> Response:
            return Response(await self.metrics.text(), media_type=TEXT, headers={"cache-control": "no-store"})

        return Route("/metrics", metrics)

    async def close(self) -> None:
        """Sends the last spans; who collects them may be away, and is not waited for longer than the exporter does."""
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.provider.shutdown)


def telemetry(settings: Settings, duties: Collection[str]) -> Telemetry:
    if settings.otlp_endpoint is None:
        return Telemetry()
    # they take a while to import, and most processes do without
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made = provider("chobo-" + "-".join(sorted(duties)), settings.trace_ratio)
    address = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address, timeout=5)))
    return Telemetry(Tracing(made))
