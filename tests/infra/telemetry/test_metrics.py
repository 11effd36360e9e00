"""Metrics are those of the table, as things stand when somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.telemetry import Metrics, Sample, metrics
from tests.infra.telemetry.reading import value


async def told(made: Metrics) -> str:
    return (await made.text()).decode()


async def test_a_gauge_is_asked_for_when_somebody_looks():
    made, now = Metrics(), {"events": 3}

    async def look() -> Iterable[Sample]:
        return [Sample("chobo_consumer_behind_events", ("orders@1", "orders"), now["events"])]

    made.probe("consumers", look)
    assert value(await told(made), "chobo_consumer_behind_events", consumer="orders@1") == 3
    now["events"] = 5
    assert value(await told(made), "chobo_consumer_behind_events", consumer="orders@1") == 5


async def test_what_cannot_be_found_out_is_left_out_and_counted():
    made = Metrics()
    answers: list[Iterable[Sample]] = [[Sample("chobo_todo_due", ("mail",), 1)]]

    async def look() -> Iterable[Sample]:
        return answers.pop()  # the second time there is none

    made.probe("to-dos", look)
    assert value(await told(made), "chobo_todo_due", kind="mail") == 1
    after = await told(made)
    assert "chobo_todo_due{" not in after
    assert value(after, "chobo_probe_failures_total", probe="to-dos") == 1


async def test_a_probe_that_hangs_does_not_keep_the_others_from_telling(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "PATIENCE", 0.01)
    made = Metrics()

    async def hangs() -> Iterable[Sample]:
        await asyncio.Event().wait()
        return []

    async def look() -> Iterable[Sample]:
        return [Sample("chobo_relay_leader", ("orders",), 1)]

    made.probe("database", hangs)
    made.probe("relays", look)
    assert value(await told(made), "chobo_relay_leader", context="orders") == 1


async def test_two_processes_in_one_have_nothing_in_common():
    one, other = Metrics(), Metrics()
    one.appended.labels("orders").inc()
    assert "chobo_appended_events_total{" not in await told(other)


async def test_every_metric_has_a_meaning():
    text = await told(Metrics())
    ours = [family for family in text_string_to_metric_families(text) if family.name.startswith("chobo_")]
    assert ours
    assert all(family.documentation for family in ours)
