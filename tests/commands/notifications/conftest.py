from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.commands.notifications.desk import Desk, opened


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with opened(database) as desk:
        yield desk
