"""The states of aggregates as of the log's end, as far as this process knows them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from commands.log import Log, Unavailable

CAPACITY: Final = 100_000


def version_of(state: Any) -> int:
    return 0 if state is None else int(state.version)


class KnownStates:
    """States by id; None for an aggregate without events. The oldest are forgotten when there are too many.

    A state here may be older than the log when another process has written: the append finds that out.
    """

    def __init__(self, log: Log, capacity: int = CAPACITY) -> None:
        self._log = log
        self._capacity = capacity
        self._states: dict[UUID, Any] = {}
        self._loading: dict[UUID, asyncio.Task[None]] = {}
        self._wanted: set[UUID] = set()
        self._next: asyncio.Task[None] | None = None
        self._asked: set[UUID] = set()
        self._answer: asyncio.Task[dict[UUID, Any]] | None = None

    def __contains__(self, id: UUID) -> bool:
        return id in self._states

    def __getitem__(self, id: UUID) -> Any:
        return self._states[id]

    def get(self, id: UUID, default: Any) -> Any:
        return self._states.get(id, default)

    def missing(self, ids: Iterable[UUID]) -> list[UUID]:
        return [id for id in ids if id not in self._states]

    def has_all(self, ids: Iterable[UUID]) -> bool:
        return all(map(self._states.__contains__, ids))

    def put(self, id: UUID, state: Any) -> None:
        self._states[id] = state
        if len(self._states) > self._capacity:
            del self._states[next(iter(self._states))]

    def put_newer(self, id: UUID, state: Any) -> None:
        if version_of(state) > version_of(self._states.get(id)) or id not in self._states:
            self.put(id, state)

    def forget(self, ids: Iterable[UUID]) -> None:
        for id in ids:
            self._states.pop(id, None)

    async def load(self, ids: Collection[UUID]) -> None:
        """Loads what is missing; what others ask for at the same time goes in the same query. Raises Unavailable."""
        try:
            await self._load_together(ids)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # it may be about what others asked for; if not, it is raised again
            await self.current(self.missing(ids))

    async def _load_together(self, ids: Collection[UUID]) -> None:
        tasks = set()
        for id in self.missing(ids):
            if id not in self._loading:
                self._wanted.add(id)
                self._next = self._next or asyncio.create_task(self._load_wanted())
                self._loading[id] = self._next
            tasks.add(self._loading[id])
        await asyncio.gather(*(asyncio.shield(task) for task in tasks))

    async def current(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        """The states as the log has them now; what is asked for in the same turn goes in one query.

        Raises Unavailable.
        """
        self._asked.update(ids)
        self._answer = self._answer or asyncio.create_task(self._look())
        try:
            states = await asyncio.shield(self._answer)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # it may be about what others asked for; if not, it is raised again
            states = await self._looked_up(ids)
        return {id: states[id] for id in ids}

    async def _look(self) -> dict[UUID, Any]:
        await asyncio.sleep(0)  # those who ask in the same turn of the loop go along
        ids, self._asked, self._answer = self._asked, set(), None
        return await self._looked_up(ids)

    async def _looked_up(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        states = await self._log.load({id: self._states.get(id) for id in ids})
        for id, state in states.items():
            self.put_newer(id, state)
        return states

    async def _load_wanted(self) -> None:
        await asyncio.sleep(0)  # those who arrive in the same turn of the loop go along
        ids, self._wanted, self._next = self._wanted, set(), None
        try:
            for id, state in (await self._log.load(dict.fromkeys(ids))).items():
                self.put_newer(id, state)
        finally:
            for id in ids:
                del self._loading[id]
