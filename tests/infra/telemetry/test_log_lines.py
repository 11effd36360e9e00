"""Whose a log line is, where the work of many is done together."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bench.counter import HANDLERS, CountUp
from bench.server import counter_loop
from commands.reply import Envelope
from commands.trace import Trace
from domain.actor import ANONYMOUS
from domain.ids import new_id
from infra.logs import JsonLines
from infra.telemetry.current import CURRENT

MINE = Trace("mine", f"00-{'1' * 32}-{'2' * 16}-01")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("commands.loop")
    log.addHandler(handler)
    yield written
    log.removeHandler(handler)


async def test_a_run_does_not_log_in_the_name_of_who_came_first(
    database: str, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(HANDLERS[CountUp], "decide", broken)
    async with counter_loop(database) as loop:
        token = CURRENT.set(MINE)
        with pytest.raises(ZeroDivisionError):
            await loop.submit(Envelope(CountUp(amount=1).bind(by=ANONYMOUS, target=new_id()), "yours"))
        CURRENT.reset(token)
    line = json.loads(lines.getvalue())
    assert line["correlation_id"] == "yours"
    assert "trace_id" not in line
