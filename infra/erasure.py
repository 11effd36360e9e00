"""Makes the erasure of a user certain: the key, the rows in every generation, those once more, the receipt.

    UserErased -> key destroyed, rows cleared -> (nobody can decode any more) -> rows cleared again -> ErasureCompleted

Who decoded an event just before the key was gone may still write it into a row, a replay above all. Decoding ends with
the cached keys, writing what was decoded soon after: hence the second sweep, over the generations there are by then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from commands.reply import Envelope
from commands.services import Loop
from commands.users.messages import CompleteErasure
from domain.actor import service
from domain.event import JSON
from domain.users.events import UserErased
from domain.users.user import User
from domain.users.values import Means, Place
from infra.keys import KEEP
from projections.asking import Rule
from projections.consumer import BATCH_LIFE
from projections.doing import Done, Failed, Kind, Later, Outcome
from projections.generations import listed
from projections.model import Model
from projections.pool import Connection, connected
from projections.retry import UNTIL_DONE
from projections.sweeping import sweep
from projections.todo import Work

KIND: Final = "erase-user"
RULE: Final = Rule(UserErased, KIND)
WORKER: Final = service("erasure")

WAIT: Final = KEEP + BATCH_LIFE + 5.0
"""Seconds from the destruction of a key until nothing that was decoded with it can be written any more."""

WITHHELD: Final = "withheld: it might tell of a person who was erased"

OF_THE_USER: Final = """
SELECT DISTINCT originator_id FROM {schema}.stored_events
WHERE originator_id = ANY(%s) AND position(%s::bytea IN state) > 0
"""
PARKED: Final = "SELECT DISTINCT sequence FROM projections.parked WHERE context = %s AND reason <> %s"
WITHHOLD: Final = "UPDATE projections.parked SET reason = %s WHERE context = %s AND sequence = ANY(%s) AND reason <> %s"

Pool = AsyncConnectionPool[AsyncConnection[Any]]


class Keys(Protocol):
    async def destroy(self, user_id: UUID) -> datetime:
        """When it was destroyed, the first time."""
        ...


class Mails(Protocol):
    """Mails that are kept by us."""

    async def forget(self, user_id: UUID) -> int:
        """Throws away all mails to a user. How many it were."""
        ...


class Notes(Protocol):
    """Where it is written down, outside of all databases, who was erased."""

    async def add(self, erased: Mapping[UUID, datetime]) -> None:
        """Who was erased when. Returns when it is safe there; harmless the second time."""
        ...


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Everything that a process can look through. `logs` are the pools of the logs by context, `topics` their names."""

    reads: Pool
    logs: Mapping[str, Pool]
    models: Sequence[Model]
    topics: Sequence[str] = ()
    mails: Mails | None = None

    async def sweep(self, user_id: UUID) -> dict[str, tuple[int, int]]:
        """By place: how many rows are about the user, and from how many something was taken out."""
        found: dict[str, tuple[int, int]] = {}
        for model in self.models:
            for name, *figures in await self._swept(model, user_id):
                found[name] = (figures[0], figures[1])
        for context, pool in self.logs.items():
            found[f"parked events of {context}"] = await self._withheld(context, pool, user_id)
        if self.mails is not None:
            gone = await self.mails.forget(user_id)
            found["kept mails"] = gone, gone
        return found

    async def _swept(self, model: Model, user_id: UUID) -> list[tuple[str, int, int]]:
        """Each generation in a transaction of its own: its consumers wait for one only."""
        async with connected(self.reads) as connection:
            generations = await listed(connection, model.name)
        places = []
        for generation in generations:
            async with connected(self.reads) as connection:
                swept = await sweep(connection, model, generation, user_id)
            places += [(f"{generation.name}, table {one.table}", one.rows, one.cleared) for one in swept]
        return places

    async def _withheld(self, context: str, log: Pool, user_id: UUID) -> tuple[int, int]:
        """A parked row has no event in it, but why it was parked may quote one."""
        async with connected(self.reads) as connection:
            parked = [id for (id,) in await _rows(connection, PARKED, [context, WITHHELD])]
        if not parked:
            return 0, 0
        async with connected(log) as connection:
            query = OF_THE_USER.format(schema=context)
            about = [id for (id,) in await _rows(connection, query, [parked, f'"of":"{user_id}"'.encode()])]
        async with connected(self.reads) as connection:
            await connection.execute(WITHHOLD, [WITHHELD, context, about, WITHHELD])
        return len(about), len(about)

    async def swept(self, user_id: UUID) -> None:
        """Notes in the read database that it knows of the erasure."""
        async with connected(self.reads) as connection:
            await connection.execute("INSERT INTO projections.erased VALUES (%s) ON CONFLICT DO NOTHING", [user_id])

    def sealed(self) -> list[Place]:
        """What cannot be read without the key, wherever it is."""
        names = [*(f"log of {context}" for context in self.logs), *(f"topic {topic}" for topic in self.topics)]
        return [Place(name=name, means=Means.SEALED) for name in [*names, "exports of logs"]]


ONLY_IDS: Final = [
    Place(name=name, means=Means.IDS) for name in ("replies to commands", "snapshots of aggregates", "to-do")
]


class Forget:
    """The act of the kind `erase-user`. The row's data are the figures of the first sweep.

    This process has itself known of the destroyed key for `wait` seconds when it sweeps for the second time: neither a
    clock that jumps nor an operator in a hurry makes that shorter.
    """

    def __init__(
        self, users: Loop, keys: Keys, sweeper: Sweeper, notes: Iterable[Notes] = (), *, wait: float = WAIT
    ) -> None:
        self._users = users
        self._keys = keys
        self._sweeper = sweeper
        self._notes = list(notes)
        self._wait = wait
        self._known_since: dict[UUID, float] = {}

    async def known(self, work: Work) -> Outcome | None:
        states = await self._users.states([work.subject])
        return Done() if states[work.subject, User].receipt else None

    async def do(self, work: Work) -> Outcome | Later:
        destroyed_at = await self._keys.destroy(work.subject)
        now = time.monotonic()
        left = self._known_since.setdefault(work.subject, now) + self._wait - now
        if work.data and left > 0:
            return Later(left, work.data)
        found = await self._sweeper.sweep(work.subject)
        if not work.data:
            await self._noted(work.subject, destroyed_at)
            return Later(self._wait, {"swept": {name: list(figures) for name, figures in found.items()}})
        del self._known_since[work.subject]
        places = added(work.data["swept"], found)
        return Done({"destroyed_at": destroyed_at.isoformat(), "places": places})

    async def _noted(self, user_id: UUID, destroyed_at: datetime) -> None:
        """In this order: a copy of the read database in which it stands has the row that sees to the rest as well, so
        that nobody needs to wait for that. It must never be without, once the user is on a list."""
        await self._sweeper.swept(user_id)
        for notes in self._notes:
            await notes.add({user_id: destroyed_at})

    async def record(self, work: Work, outcome: Outcome) -> None:
        """The user's receipt. The aggregate keeps the first, so that the command needs no key of its own."""
        if isinstance(outcome, Failed):
            raise TypeError(f"an erasure is tried until it is done, yet it ended: {outcome.error}")
        receipt = CompleteErasure(
            key_destroyed_at=datetime.fromisoformat(outcome.result["destroyed_at"]),
            places=(*self._sweeper.sealed(), *cleared(outcome.result["places"]), *ONLY_IDS),
        ).bind(by=WORKER, target=work.subject)
        envelope = Envelope(receipt, work.correlation_id, causation_id=work.causation_id, traceparent=work.traceparent)
        (await self._users.submit(envelope)).result()


def erase_user(users: Loop, keys: Keys, sweeper: Sweeper, notes: Iterable[Notes] = (), *, wait: float = WAIT) -> Kind:
    return Kind(KIND, UNTIL_DONE, Forget(users, keys, sweeper, notes, wait=wait))


def added(first: JSON, second: Mapping[str, tuple[int, int]]) -> JSON:
    """Both sweeps together: the rows there were at most, and all that was taken out."""
    places = dict(first)
    for name, (rows, cleared) in second.items():
        before = first.get(name, (0, 0))
        places[name] = [max(rows, before[0]), cleared + before[1]]
    return places


def cleared(places: JSON) -> list[Place]:
    return [
        Place(name=name, means=Means.CLEARED, rows=rows, cleared=cleared)
        for name, (rows, cleared) in sorted(places.items())
    ]


async def _rows(connection: Connection, query: str, values: Sequence[Any]) -> list[Any]:
    return await (await connection.execute(query, values)).fetchall()
