"""The lives of all orders of the sample shop that go on at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

from infra.demo.life import Life


class Lives:
    """Ends them all with the shop. What makes one fail - the server is away - is raised to who looks after them."""

    def __init__(self) -> None:
        self._acting: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = self._acting | self._watching
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, life: Life) -> None:
        self._start(life.act(), self._acting, then=lambda: self._start(life.watch(), self._watching))

    def check(self) -> None:
        """Raises what made one of them fail."""
        if self._failed is not None:
            raise self._failed

    async def acted(self) -> None:
        """Returns once everybody has done what they were to do."""
        while self._acting and self._failed is None:
            await asyncio.wait(self._acting, return_when=asyncio.FIRST_COMPLETED)
        self.check()

    def _start(
        self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]], then: Callable[[], None] | None = None
    ) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            among.discard(task)
            if task.cancelled():
                return
            if (error := task.exception()) is not None:
                self._failed = self._failed or error
            elif then is not None:
                then()

        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(ended)
