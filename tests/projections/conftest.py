from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from projections.models import MODELS
from projections.schema import prepare


@pytest.fixture
async def pool(database: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    """Connections to a read database that is up to date."""
    await prepare(database, MODELS)
    async with AsyncConnectionPool(database, min_size=1, max_size=8, open=False) as pool:
        yield pool
