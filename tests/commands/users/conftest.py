from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.commands.users.place import Place, place, prepare


@pytest.fixture
async def here(database: str) -> AsyncIterator[Place]:
    await prepare(database)
    async with place(database) as here:
        yield here


@pytest.fixture
async def there(here: Place, database: str) -> AsyncIterator[Place]:
    """Another process on the same database."""
    async with place(database) as there:
        yield there
