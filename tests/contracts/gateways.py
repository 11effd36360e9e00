"""Gateways under the contract suite, each with what the customer, the bank, time and bad luck do to it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from commands.payments.gateway import Gateway
from domain.money import Money
from infra.gateway.faults import Fault
from infra.gateway.memory import MemoryGateway


class Side(Protocol):
    @property
    def gateway(self) -> Gateway: ...

    async def advance(self, by: timedelta) -> None: ...
    async def act(self, reference: str, *, succeed: bool = True) -> None: ...
    async def receive(self, reference: str, *, succeed: bool = True) -> None: ...
    async def charge_back(self, reference: str) -> None: ...
    async def refund_directly(self, reference: str, amount: Money) -> None: ...
    async def fails(self, fault: Fault) -> None:
        """The next request that is to change something."""
        ...


class MemorySide:
    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()
        self.gateway = MemoryGateway(faults=self._next)

    def _next(self, name: str) -> Fault | None:
        return self._faults.popleft() if self._faults else None

    async def advance(self, by: timedelta) -> None:
        self.gateway.advance(by)

    async def act(self, reference: str, *, succeed: bool = True) -> None:
        self.gateway.act(reference, succeed=succeed)

    async def receive(self, reference: str, *, succeed: bool = True) -> None:
        self.gateway.receive(reference, succeed=succeed)

    async def charge_back(self, reference: str) -> None:
        self.gateway.charge_back(reference)

    async def refund_directly(self, reference: str, amount: Money) -> None:
        self.gateway.refund_directly(reference, amount)

    async def fails(self, fault: Fault) -> None:
        self._faults.append(fault)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Side]:
    yield MemorySide()
