"""`chobo verify models`: a generation of a read model against the logs it was folded from, beside its consumers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, IsolationLevel, sql

from infra.event_log.log import KeyStore
from infra.event_log.reader import HEAD, Decoder
from infra.verify.contents import Contents
from infra.verify.expected import TABLE, Expectations
from infra.verify.finding import Code, Finding, Tally
from infra.verify.log import chunks, snapshot
from infra.verify.totals import wrong_sums
from projections.checkpoint import Checkpoint
from projections.generations import Generation, checkpoint_of, shape_of, tables_of
from projections.model import Model, Projector
from projections.parking import parked_id

# A row that stands for the whole of a parked stream is where it was before the event that is parked; 0 is no row.
UNEQUAL: Final = """
SELECT coalesce(e.stream, r.id), coalesce(e.id, r.id), e.version, coalesce(r.version, 0), e.position
FROM (
    SELECT e.id, e.stream, e.position, coalesce(p.version - 1, e.version) AS version
    FROM {expected} e
    LEFT JOIN projections.parked p ON p.consumer = %s AND p.context = ANY (%s) AND p.sequence = e.stream
    WHERE p.id IS NULL OR NOT %s
) AS e
FULL JOIN {rows} r ON r.id = e.id
WHERE coalesce(e.version, 0) <> coalesce(r.version, 0) AND NOT (e.id IS NULL AND %s AND EXISTS (
    SELECT FROM {expected} x JOIN projections.parked p ON p.sequence = x.stream
    WHERE x.id = r.id AND p.consumer = %s AND p.context = ANY (%s)
))
"""

# What operators have passed over, as the read model of operations has it.
DISCARDED: Final = """
SELECT target FROM reads.operations WHERE kind = 'parked.discard' AND status = 'DONE'
"""

PARKED: Final = """
SELECT sequence, position, waiting, reason FROM projections.parked
WHERE consumer = %s AND context = ANY (%s) ORDER BY position
"""


Mend = Callable[[Finding], Awaitable[bool]]
"""Repairs what was found, if that is safe; tells whether it did."""


class ModelCheck:
    """`logs` are the conninfos by context. With `deep` every row is folded anew and compared, not only its version."""

    def __init__(
        self,
        reads: str,
        logs: Mapping[str, str],
        model: Model,
        generation: Generation,
        keys: KeyStore,
        *,
        deep: bool = False,
        mend: Mend | None = None,
    ) -> None:
        self.tally = Tally(generation.name)
        self._reads = reads
        self._logs = logs
        self._model = model
        self._generation = generation
        self._decoder = Decoder(keys)
        self._deep = deep
        self._mend = mend

    async def findings(self) -> AsyncIterator[Finding]:
        """Raises psycopg.OperationalError, WrongMasterKey."""
        async for finding in self._found():
            repaired = finding.wrong and self._mend is not None and await self._mend(finding)
            told = replace(finding, repaired=repaired)
            self.tally.add(told)
            yield told

    async def _found(self) -> AsyncIterator[Finding]:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(scratch(self._reads))
            seen = {context: await self._checkpoint(connection, context) for context in self._model.contexts}
            logs = {context: await stack.enter_async_context(snapshot(self._logs[context])) for context in seen}
            sound = {}
            for context, checkpoint in seen.items():
                if finding := await self._unfit(logs[context], context, checkpoint):
                    yield finding
                elif checkpoint is not None:
                    sound[context] = checkpoint
            async for finding in self._parked(connection, list(sound)):
                yield finding
            if len(sound) == len(seen):  # else nothing can be said of rows that might be the other context's
                discarded = await self._discarded(connection)
                async for finding in self._tables(connection, logs, sound):
                    yield self._excused(finding, discarded)

    async def _checkpoint(self, connection: AsyncConnection[Any], context: str) -> Checkpoint | None:
        return await checkpoint_of(connection, self._generation, context)

    async def _unfit(self, log: AsyncConnection[Any], context: str, checkpoint: Checkpoint | None) -> Finding | None:
        """Why rows and log cannot be compared, if they cannot."""
        if checkpoint is None:
            return self._finding(Code.NOT_FED, f"no consumer has begun to read {context}")
        found: Any = await (await log.execute(HEAD.format(schema=context).encode())).fetchone()
        incarnation, head = found
        if incarnation != checkpoint.incarnation:
            detail = f"{context} is in incarnation {incarnation}, this was folded from {checkpoint.incarnation}"
            return self._finding(Code.INCARNATION, f"{detail}: build it anew")
        if head < checkpoint.furthest:
            detail = f"{context} ends at {head}, this has seen {checkpoint.furthest}: the log was cut"
            return self._finding(Code.CUT, detail)
        return None

    async def _parked(self, connection: AsyncConnection[Any], contexts: list[str]) -> AsyncIterator[Finding]:
        cursor = await connection.execute(PARKED, [self._generation.name, contexts])
        for sequence, position, waiting, reason in await cursor.fetchall():
            yield self._finding(Code.PARKED, f"{waiting} more wait behind it: {reason}", sequence, position)

    async def _discarded(self, connection: AsyncConnection[Any]) -> set[str]:
        """Ids of what was parked, and is not applied any more."""
        there = await connection.execute("SELECT to_regclass('reads.operations') IS NOT NULL")
        if await there.fetchone() != (True,):
            return set()
        return {target for (target,) in await (await connection.execute(DISCARDED)).fetchall()}

    def _excused(self, finding: Finding, discarded: set[str]) -> Finding:
        """A row differs from its stream where an event of it was passed over: as somebody wanted it."""
        stream, consumer = finding.stream, self._generation.name
        if not discarded or stream is None:
            return finding
        ids = {str(parked_id(consumer, context, stream)) for context in self._model.contexts}
        return replace(finding, code=Code.DISCARDED) if ids & discarded else finding

    async def _tables(
        self,
        connection: AsyncConnection[Any],
        logs: Mapping[str, AsyncConnection[Any]],
        seen: Mapping[str, Checkpoint],
    ) -> AsyncIterator[Finding]:
        there = await tables_of(connection, self._generation.schema)
        same_shape = self._generation.shape == shape_of(self._model)
        for projector in self._model.projectors:
            if projector.table.name not in there:
                continue  # of an older release
            expectations = Expectations(connection, self._decoder)
            await expectations.begin()
            for context, checkpoint in seen.items():
                await expectations.add(projector, logs[context], context, checkpoint)
            await expectations.settle()
            async for finding in self._versions(connection, projector, list(seen)):
                yield finding
            if self._deep and same_shape:
                contents = Contents(connection, self._generation, self._model, projector, self._decoder)
                for context, checkpoint in seen.items():
                    async for finding in contents.differing(logs[context], context, checkpoint):
                        yield finding
        if same_shape:
            async for finding in wrong_sums(connection, self._generation, self._model):
                yield finding

    async def _versions(
        self, connection: AsyncConnection[Any], projector: Projector[Any], contexts: list[str]
    ) -> AsyncIterator[Finding]:
        rows = sql.Identifier(self._generation.schema, projector.table.name)
        count: Any = await (await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(rows))).fetchone()
        self.tally.checked += count[0]
        query = sql.SQL(UNEQUAL).format(expected=TABLE, rows=rows).as_string(connection)
        parked = [self._generation.name, contexts]
        async for unequal in chunks(connection, query, [*parked, projector.keyed, projector.keyed, *parked]):
            for stream, id, wanted, found, position in unequal:
                code, detail = told(id, wanted, found)
                place = f"{self._generation.name}/{projector.table.name}"
                yield Finding(code, place, detail, stream, position, row=id)

    def _finding(self, code: Code, detail: str, stream: UUID | None = None, position: int | None = None) -> Finding:
        return Finding(code, self._generation.name, detail, stream, position)


def told(id: UUID, wanted: int | None, found: int) -> tuple[Code, str]:
    if not wanted:
        return (
            Code.ROW_SURPLUS,
            f"row {id} is of no stream the log has, or of one that is parked from its first event on",
        )
    if not found:
        return Code.ROW_MISSING, f"row {id} is not there, its stream is at version {wanted}"
    code = Code.ROW_BEHIND if found < wanted else Code.ROW_AHEAD
    return code, f"row {id} is at version {found}, its stream at {wanted}"


@asynccontextmanager
async def scratch(conninfo: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A snapshot of the read database in which temporary tables can be made; nothing of it is kept."""
    async with await AsyncConnection.connect(conninfo) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        try:
            yield connection
        finally:
            await connection.rollback()
