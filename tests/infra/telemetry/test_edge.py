"""What a request passes on its way in."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from commands.trace import TRACE
from infra.logs import JsonLines
from infra.telemetry import Telemetry
from infra.telemetry.tracing import Tracing, provider
from tests.infra.telemetry.reading import value

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def carried(request: Request) -> Response:
    trace = request.scope[TRACE]
    line = JsonLines().format(logging.makeLogRecord({"msg": "at work"}))
    body = {"correlation": trace.correlation_id, "traceparent": trace.traceparent, "line": json.loads(line)}
    return JSONResponse(body)


async def one(request: Request) -> Response:
    return PlainTextResponse("one")


async def broken(request: Request) -> Response:
    raise RuntimeError("broken")


def client(telemetry: Telemetry) -> httpx.AsyncClient:
    routes = [Route("/carried", carried), Route("/things/{id}", one), Route("/broken", broken), telemetry.route()]
    app = Starlette(routes=routes, middleware=[telemetry.edge()])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://chobo")


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(spans: InMemorySpanExporter) -> Telemetry:
    made = provider("test", 1.0)
    made.add_span_processor(SimpleSpanProcessor(spans))
    return Telemetry(Tracing(made))


@pytest.fixture
async def http(traced: Telemetry) -> AsyncIterator[httpx.AsyncClient]:
    async with client(traced) as http:
        yield http


def attributes(spans: InMemorySpanExporter) -> dict[str, Any]:
    (span,) = spans.get_finished_spans()
    return dict(span.attributes or {})


async def test_requests_are_counted_by_route_never_by_address(http, traced):
    for path in ("/things/1", "/things/2", "/nowhere", "/broken"):
        await http.get(path)
    text = (await traced.metrics.text()).decode()
    name = "chobo_http_request_seconds_count"
    assert value(text, name, route="/things/{id}", status="200") == 2
    assert value(text, name, route="(none)", status="404") == 1


async def test_who_sends_a_trace_finds_our_span_in_it(http, spans):
    answer = (await http.get("/carried", headers={"traceparent": TRACEPARENT, "x-correlation-id": "c-1"})).json()
    (span,) = spans.get_finished_spans()
    assert span.parent
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert answer["traceparent"] == f"00-0af7651916cd43dd8448eb211c80319c-{span.context.span_id:016x}-01"
    assert span.name == "GET /carried"
    assert attributes(spans)["http.response.status_code"] == 200


async def test_what_a_client_does_not_want_recorded_is_not_recorded(http, spans):
    await http.get("/carried", headers={"traceparent": TRACEPARENT[:-2] + "00"})
    assert spans.get_finished_spans() == ()


async def test_who_asks_how_we_are_leaves_no_span(http, spans, traced):
    await http.get("/metrics")
    assert spans.get_finished_spans() == ()
    count = value((await traced.metrics.text()).decode(), "chobo_http_request_seconds_count", route="/metrics")
    assert count == 1


async def test_log_lines_of_a_request_carry_its_ids(http):
    answer = (await http.get("/carried", headers={"x-correlation-id": "c-1"})).json()
    assert answer["line"]["correlation_id"] == answer["correlation"] == "c-1"
    assert answer["line"]["trace_id"] == answer["traceparent"][3:35]


async def test_log_lines_of_nobodys_request_carry_none(http):
    await http.get("/carried")
    assert "trace_id" not in json.loads(JsonLines().format(logging.makeLogRecord({"msg": "idle"})))


async def test_without_a_place_for_spans_ids_are_carried_all_the_same():
    async with client(Telemetry()) as http:
        answer = (await http.get("/carried", headers={"traceparent": TRACEPARENT})).json()
    assert answer["traceparent"] == TRACEPARENT


async def test_what_fails_is_a_span_with_an_error(http, spans):
    await http.get("/broken")
    (span,) = spans.get_finished_spans()
    assert (span.name, span.status.is_ok) == ("GET /broken", False)
