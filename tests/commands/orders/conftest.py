from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.commands.orders.shop import Shop, opened


@pytest.fixture
async def shop(module_database: str) -> AsyncIterator[Shop]:
    async with opened(module_database, uuid4().hex) as shop:
        yield shop


@pytest.fixture
async def branch(shop: Shop, module_database: str) -> AsyncIterator[Shop]:
    """Another process on the same database."""
    async with opened(module_database, shop.run) as branch:
        yield branch
