"""A saga told again to today's rules: what the dashboard copies as a test is written in this.

saga = Retold("checkout", 1, id="...", key="...")
saga.given(at, "FACT", "order-placed", id, {...})
saga.when(at, "REPLY", "refused", id, {"code": "ALREADY_SHIPPED"})
saga.then_not("STUCK")
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from domain.ids import SagaId
from domain.sagas.events import ActionKind, InputKind
from domain.sagas.saga import Input, Saga, evolve
from sagas.engine import Engine
from sagas.process import Process
from sagas.processes import PROCESSES

ACTION = "ACTION"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Retold:
    """Begun with the definition that it had then; `processes` are those of today."""

    def __init__(
        self, process: str, definition: int, *, id: str, key: str, processes: Mapping[str, Process] = PROCESSES
    ) -> None:
        known = processes[process]
        assert known.newest == definition, f"{process} begins with definition {known.newest} today"
        self.saga: Saga | None = None
        self._engine = Engine(processes)
        self._process = process
        self._id = SagaId(UUID(id))
        self._key = UUID(key)

    def given(self, at: str, kind: str, name: str, id: str, facts: Mapping[str, Any] = NOTHING) -> None:
        """It was told this, or had to do this."""
        for event in self._follows(datetime.fromisoformat(at), kind, name, UUID(id), facts):
            self.saga = evolve(self.saga, event)

    when = given

    def then(self, status: str, *, outcome: str | None = None, step: str | None = None) -> None:
        assert self.saga
        assert (self.saga.status, self.saga.outcome, self.saga.step) == (status, outcome, step)

    def then_not(self, status: str) -> None:
        assert self.saga
        assert self.saga.status != status, f"it is {status}: {self.saga.parked or self.saga.trouble}"

    def _follows(self, at: datetime, kind: str, name: str, id: UUID, facts: Mapping[str, Any]) -> Any:
        if kind == ACTION:
            assert self.saga
            return self._engine.act(self.saga, ActionKind(name), id, None, "as it was", at)
        input = Input(id, InputKind(kind), name, dict(facts))
        return self._engine.react(self.saga, self._id, self._process, self._key, input, at)
