"""Spans from a POST to the rows it led to, in one trace, carried by W3C `traceparent` wherever the event goes.

A span costs tens of microseconds, so there are none unless CHOBO_OTLP_ENDPOINT says where they go, and then only of
traces whose `sampled` flag is set: the flag travels with the event, and nobody downstream has to decide again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from commands.trace import TRACEPARENT

NOWHERE: Final = Context()


def provider(service: str, ratio: float) -> TracerProvider:
    """`ratio` is the part of the traces begun here that is recorded; what others began, they decided."""
    resource = Resource({"service.name": service, "service.namespace": "chobo"})
    return TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), resource=resource, shutdown_on_exit=False)


class Tracing:
    def __init__(self, made_by: TracerProvider) -> None:
        self.provider = made_by
        self._tracer = made_by.get_tracer("chobo")

    def request(self, traceparent: bytes | None) -> Span:
        """The span of a request that came with this header. End it with `answered`."""
        came = traceparent.decode() if traceparent and TRACEPARENT.fullmatch(traceparent) else None
        return self._tracer.start_span("request", parent(came) if came else NOWHERE, kind=SpanKind.SERVER)

    def record(
        self,
        name: str,
        traceparents: Iterable[str | None],
        began: int,
        ended: int,
        kind: SpanKind = SpanKind.INTERNAL,
        **attributes: str | int,
    ) -> None:
        """A span of each of these traces, for work done on all of them together. Times in ns since the epoch."""
        for traceparent in sampled(traceparents):
            self._tracer.start_span(name, parent(traceparent), kind=kind, attributes=attributes, start_time=began).end(
                ended
            )

    def arrived(self, context: str, traceparents: Sequence[str], began: int) -> None:
        """Events of these traces have reached the broker."""
        self.record(f"publish {context}", traceparents, began, time.time_ns(), SpanKind.PRODUCER)


def answered(span: Span, method: str, route: str, status: int) -> None:
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def sampled(traceparents: Iterable[str | None]) -> list[str]:
    """Those to be recorded, each once, in order."""
    return [text for text in dict.fromkeys(traceparents) if text and int(text[-2:], 16) & TraceFlags.SAMPLED]


def parent(traceparent: str) -> Context:
    _, trace_id, span_id, flags = traceparent.split("-")
    context = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(context), NOWHERE)


def traceparent_of(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
