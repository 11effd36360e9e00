from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from psycopg_pool import AsyncConnectionPool

from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """Connections to a read database that is up to date."""
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, min_size=1, max_size=8, open=False)
    async with pool:
        yield pool
