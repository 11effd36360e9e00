"""One trace from the POST to the rows it led to, whatever lies between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.bootstrap import System, running
from infra.duties import EVERY, Duty
from infra.settings import Settings
from infra.telemetry import Telemetry
from infra.telemetry.tracing import Tracing, provider

HANA = {"email": "hana@example.org", "password": "correct horse", "name": "Hana"}
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def recording(spans: InMemorySpanExporter, name: str) -> Telemetry:
    made = provider(name, 1.0)
    made.add_span_processor(SimpleSpanProcessor(spans))
    return Telemetry(Tracing(made))


@asynccontextmanager
async def processes(
    settings: Settings, spans: InMemorySpanExporter, *duties: frozenset[Duty]
) -> AsyncIterator[list[System]]:
    """As separate as one event loop allows: each with pools, loops and telemetry of its own."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running(settings, each, told=recording(spans, "-".join(each))))
            for each in duties
        ]


async def register(system: System) -> None:
    headers = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(system.app), base_url="http://chobo") as http:
        assert (await http.post("/v1/users", json=HANA, headers=headers)).status_code == 201


async def of_the_trace(spans: InMemorySpanExporter, *names: str) -> dict[str, ReadableSpan]:
    """The spans of the trace by name, once all of these are there."""
    ends = time.monotonic() + 30
    while True:
        finished = spans.get_finished_spans()
        found = {s.name: s for s in finished if s.context and f"{s.context.trace_id:032x}" == TRACE_ID}
        if found.keys() >= set(names):
            return found
        assert time.monotonic() < ends, f"missing {set(names) - found.keys()}"
        await asyncio.sleep(0.02)


async def test_in_one_process_on_the_log_itself(database: str, spans: InMemorySpanExporter):
    settings = Settings.read({}, profile="development", database_url=database)
    async with processes(settings, spans, EVERY) as (system,):
        await register(system)
        found = await of_the_trace(spans, "POST /v1/users", "append users", "apply users@1")
    request = found["POST /v1/users"]
    assert request.context
    for name in ("append users", "apply users@1"):
        parent = found[name].parent
        assert parent
        assert parent.span_id == request.context.span_id


@pytest.mark.requires("kafka")
async def test_across_processes_and_kafka(database: str, spans: InMemorySpanExporter, topics):
    settings = Settings.read(
        {},
        profile="development",
        database_url=database,
        feed="kafka",
        kafka_bootstrap=topics.bootstrap,
        topic_prefix=topics.name("users").removesuffix(".users"),
        topic_partitions=2,
    )
    duties = frozenset({Duty.COMMANDS}), frozenset({Duty.RELAY}), frozenset({Duty.PROJECTIONS})
    async with processes(settings, spans, *duties) as (commands, _, _):
        await register(commands)
        found = await of_the_trace(spans, "POST /v1/users", "append users", "publish users", "apply users@1")
    services = {str(span.resource.attributes["service.name"]) for span in found.values()}
    assert services == {"commands", "relay", "projections"}
