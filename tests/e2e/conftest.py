"""A shop with a bug."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.orders.events import OrderDrafted, OrderPlaced
from projections.orders.projector import orders
from tests.e2e.buggy_shop import Bug, Shop, opened


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Bug:
    bug = Bug()
    monkeypatch.setitem(orders._opens, OrderPlaced, bug.placed)  # type: ignore[misc]
    monkeypatch.setitem(orders._opens, OrderDrafted, bug.drafted)  # type: ignore[misc]
    return bug


@pytest.fixture
async def shop(database: str, bug: Bug) -> AsyncIterator[Shop]:
    async with opened(database) as shop:
        yield shop
