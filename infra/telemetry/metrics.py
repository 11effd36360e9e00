"""Every metric with its meaning, in a registry of the process's own.

Counters and histograms are written where things happen. Gauges are asked for when somebody looks: a probe gives
samples, and what it cannot tell at the moment, as its database is away, is left out rather than shown as it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PATIENCE: Final = 2.0  # seconds for all probes together
FAST: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

log = logging.getLogger(__name__)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of when it was first seen: nobody asks for it


class Sample(NamedTuple):
    """A gauge's value now. `name` and the number of `labels` are as in GAUGES."""

    name: str
    labels: Sequence[str]
    value: float


Probe = Callable[[], Awaitable[Iterable[Sample]]]

GAUGES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "chobo_write_queue_commands": ("Commands that no append carries yet", ("context",)),
    "chobo_consumer_behind_events": ("Events of the log that are not applied yet", ("consumer", "context")),
    "chobo_consumer_behind_seconds": ("Age of the oldest event not applied yet", ("consumer", "context")),
    "chobo_consumer_status": ("1 for the status a consumer is in", ("consumer", "context", "status")),
    "chobo_parked_sequences": ("Sequences parked after an error", ("consumer", "context")),
    "chobo_parked_waiting_events": ("Events waiting behind the parked ones", ("consumer", "context")),
    "chobo_relay_leader": ("1 where this process publishes the context, 0 where it stands by", ("context",)),
    "chobo_relay_behind_events": ("Events of the log that are not published yet", ("context",)),
    "chobo_todo_due": ("Pieces of work that are due", ("kind",)),
    "chobo_todo_oldest_seconds": ("How long the oldest piece of work has been due", ("kind",)),
    "chobo_todo_failing": ("Pieces of work that were tried and failed so far", ("kind",)),
    "chobo_pool_connections": ("Connections of a pool", ("pool", "state")),
    "chobo_pool_waiting": ("Who waits for a connection of a pool", ("pool",)),
    "chobo_verify_payments_findings": (
        "What the last comparison of payments with gateway and orders found and could not record",
        ("code",),
    ),
    "chobo_verify_findings": ("What the background check of the logs has found and nobody mended", ("context",)),
}


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "chobo_http_request_seconds",
            "Time from a request to the start of its answer",
            ["method", "route", "status"],
            buckets=FAST,
            registry=self.registry,
        )
        self.commands = Counter(
            "chobo_commands", "Commands by what came of them", ["context", "command", "outcome"], registry=self.registry
        )
        self.append_seconds = Histogram(
            "chobo_append_seconds", "Time of an append", ["context"], buckets=FAST, registry=self.registry
        )
        self.append_commands = Histogram(
            "chobo_append_commands", "Commands in one append", ["context"], buckets=SIZES, registry=self.registry
        )
        self.appended = Counter("chobo_appended_events", "Events appended", ["context"], registry=self.registry)
        self.stale = Counter(
            "chobo_append_stale_commands",
            "Commands decided again because another process was faster",
            ["context"],
            registry=self.registry,
        )
        self.rate_limited = Counter(
            "chobo_rate_limited_requests", "Requests refused with 429, by class", ["limit"], registry=self.registry
        )
        self.limit_failures = Counter(
            "chobo_rate_limit_failures",
            "Times that this process could not tell the others what it let through",
            registry=self.registry,
        )
        self.webhooks = Counter(
            "chobo_webhooks",
            "Webhooks by what became of them: received, duplicate, unmatched, other, or why they were refused",
            ["gateway", "outcome"],
            registry=self.registry,
        )
        self.probe_failures = Counter(
            "chobo_probe_failures", "Times that gauges could not be found out", ["probe"], registry=self.registry
        )
        self._probes: dict[str, Probe] = {}
        self._gauges = Gauges()
        self.registry.register(self._gauges)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def probe(self, name: str, probe: Probe) -> None:
        """`probe` is asked each time somebody looks."""
        self._probes[name] = probe

    async def text(self) -> bytes:
        """All of it as it is now, in Prometheus' text format."""
        found = await asyncio.gather(*(self._asked(name, probe) for name, probe in self._probes.items()))
        self._gauges.samples = [sample for samples in found for sample in samples]
        return generate_latest(self.registry)

    async def _asked(self, name: str, probe: Probe) -> list[Sample]:
        try:
            async with asyncio.timeout(PATIENCE):
                return list(await probe())
        except Exception as error:  # noqa: BLE001 - whatever it is, the other metrics are still worth telling
            self.probe_failures.labels(name).inc()
            log.warning("gauges of %s are left out: %s", name, error or type(error).__name__)
            return []


class Gauges(Collector):
    """The samples of one look, as the families of the table."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def describe(self) -> Iterator[GaugeMetricFamily]:
        for name, (meaning, labels) in GAUGES.items():
            yield GaugeMetricFamily(name, meaning, labels=labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families = {family.name: family for family in self.describe()}
        for sample in self.samples:
            families[sample.name].add_metric(sample.labels, sample.value)
        yield from (family for family in families.values() if family.samples)


def markdown() -> str:
    """`docs/metrics.md`: those of our own; the process's and Python's are Prometheus' usual ones."""
    lines = [
        "# Metrics",
        "",
        "Made from the code (`make contracts`). Every process has at `/metrics` those that concern it, and beside",
        "these, those of the process (`process_*`) and of Python's collector (`python_gc_*`).",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    made = Metrics()
    written = (made.requests, made.commands, made.append_seconds, made.append_commands, made.appended, made.stale)
    for metric in (*written, made.webhooks, made.rate_limited, made.limit_failures, made.probe_failures):
        (family,) = metric.describe()
        name = family.name + ("_total" if family.type == "counter" else "")
        lines.append(row(name, family.type, metric._labelnames, family.documentation))
    lines += [row(name, "gauge", labels, meaning) for name, (meaning, labels) in GAUGES.items()]
    return "\n".join(lines) + "\n"


def row(name: str, type: str, labels: Sequence[str], meaning: str) -> str:
    return f"| `{name}` | {type} | {', '.join(labels)} | {meaning} |"
