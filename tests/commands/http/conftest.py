from __future__ import annotations

import pytest

from tests.commands.http.shop import FakeLoop


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()
