"""The process that docs/sagas.md adds is one."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from domain.event import first
from domain.ids import VariantId, new_id
from domain.products.events import StockRanLow
from domain.sagas.events import CommandDispatched, InputKind, SagaEnded
from domain.sagas.saga import ACCEPTED, Input, evolve
from sagas.engine import Engine
from sagas.process import told

GUIDE = Path(__file__).parents[2] / "docs" / "sagas.md"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def refill(monkeypatch):
    for code in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        path = code.splitlines()[0].removeprefix("# ")
        module = ModuleType(path.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(code, path, "exec"), module.__dict__)
    return sys.modules["sagas.refill.react"].refill


def test_the_process_of_the_guide_does_what_it_says(refill):
    variant = VariantId(new_id())
    low = StockRanLow(**first(variant, AT), available=3)
    (hearing,) = refill.hearings[StockRanLow]
    fact = Input(new_id(), InputKind.FACT, "ran-low", told(hearing.fact(low)))
    engine, id, key = Engine({"refill": refill}), hearing.saga(low), hearing.key(low)

    events: list[Any] = engine.react(None, id, "refill", key, fact, AT)
    (command,) = (event for event in events if isinstance(event, CommandDispatched))
    assert (command.path, command.body) == (f"/v1/stock/{variant}/receive", {"quantity": 100})

    saga = None
    for event in events:
        saga = evolve(saga, event)
    answered = engine.react(saga, id, "refill", key, Input(command.command_id, InputKind.REPLY, ACCEPTED, {}), AT)
    assert isinstance(answered[-1], SagaEnded)
