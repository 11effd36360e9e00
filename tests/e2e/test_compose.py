"""Every process of docker-compose.yml, by the very commands and settings that stand there; only addresses are ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.kafka.topics import Topics
from tests.e2e.buyers import Shop, read_back
from tests.e2e.fleet import ROOT, Fleet, environment_file, fleet
from tests.eventually import eventually
from tests.infra.telemetry.reading import value

pytestmark = [pytest.mark.requires("kafka"), pytest.mark.timeout(240)]


class Collector(ThreadingHTTPServer):
    """Takes spans as Jaeger does. `spans` are service and name of each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taken)
        self.spans: set[tuple[str, str]] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Taken(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        for of_resource in request.resource_spans:
            named = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            for scope in of_resource.scope_spans:
                self.server.spans |= {(named["service.name"], span.name) for span in scope.spans}
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def composed(database: str, topics: Topics, collector: Collector, tmp_path: Path) -> Iterator[Fleet]:
    addresses = {
        "CHOBO_DATABASE_URL": database,
        "CHOBO_KAFKA_BOOTSTRAP": topics.bootstrap,
        "CHOBO_TOPIC_PREFIX": topics.name("x").removesuffix(".x"),  # the broker is not ours alone
        "CHOBO_OTLP_ENDPOINT": collector.address,
        "CHOBO_ERASURE_LIST": str(tmp_path / "erasures.jsonl"),
    }
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    with fleet(environment_file() | addresses, tmp_path) as processes:
        for name, service in document["services"].items():
            if "build" in service:
                processes.add(name, *service["command"])
        processes.start()
        yield processes


async def test_an_order_placed_at_one_process_is_read_at_another(composed: Fleet, collector: Collector):
    eventually(lambda: all(process.is_ready for process in composed.processes.values()))
    shop = Shop.opened(composed["commands"].address, environment_file()["CHOBO_TOKEN_KEYS"], Random(1))
    await shop.sell(10, at_once=2)
    composed.wait_until_applied(composed["projections"])
    assert read_back(composed["reads"].address, shop).keys() == shop.told.keys()  # their sagas have gone on since

    metrics = composed["commands"].metrics()
    assert value(metrics, "chobo_commands_total", command="PlaceNow", outcome="accepted") == len(shop.told)
    assert value(composed["relay"].metrics(), "chobo_relay_leader", context="orders") == 1

    assert set(composed.stop().values()) == {0}  # and the last spans are sent
    assert {
        ("chobo-commands", "POST /v1/orders"),
        ("chobo-commands", "append orders"),
        ("chobo-relay", "publish orders"),
        ("chobo-projections", "apply orders@1"),
        ("chobo-reads", "POST /graphql"),
    } <= collector.spans

    for process in composed.processes.values():
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in process.logged())
