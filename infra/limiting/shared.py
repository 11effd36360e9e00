"""The buckets of all processes in one table of the read database: one statement for whatever was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from infra.limiting.bucket import MOST, SECOND
from projections.pool import Pool, connected

PATIENCE: Final = 1.0  # seconds for a connection
AFTER: Final = 60 * SECOND
"""How long after it was whole a bucket stays in the table: longer than any process takes to tell of a request."""

# In order of their keys, so that two processes wait for each other and never both. What is there and what comes can be
# told apart in `excluded` only by their sum and the amount.
EXCHANGE: Final = """
INSERT INTO projections.rate_limits AS held (key, full_at, taken)
SELECT key, since + taken, taken
FROM unnest(%(keys)b::uuid[], %(sinces)b::bigint[], %(takens)b::bigint[]) AS told (key, since, taken)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET
    taken = excluded.taken,
    full_at = least(
        greatest(held.full_at, excluded.full_at - excluded.taken) + excluded.taken,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + %(most)s)
RETURNING key, full_at, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
"""
NOW: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
PRUNE: Final = """
DELETE FROM projections.rate_limits WHERE key IN (
    SELECT key FROM projections.rate_limits
    WHERE full_at < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - %(after)s
    FOR UPDATE SKIP LOCKED)
"""


class Told(NamedTuple):
    """What one process has let through."""

    key: UUID
    since: int
    taken: int


class Answer(NamedTuple):
    """`now` is the database's clock, in microseconds since 1970; so is when each bucket is whole."""

    now: int
    full_at: Mapping[UUID, int]


class SharedBuckets:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def now(self) -> int:
        """The database's clock. Raises psycopg's errors and PoolTimeout."""
        async with connected(self._pool, PATIENCE) as connection:
            (row,) = await (await connection.execute(NOW)).fetchall()
        return int(row[0])

    async def exchange(self, told: Sequence[Told]) -> Answer:
        """Keys are told once each. Raises psycopg's errors and PoolTimeout."""
        keys, sinces, takens = (list(column) for column in zip(*told, strict=True))
        given = {"keys": keys, "sinces": sinces, "takens": takens, "most": MOST}
        async with connected(self._pool, PATIENCE) as connection:
            rows = await (await connection.execute(EXCHANGE, given)).fetchall()
        return Answer(rows[-1][2], {key: full_at for key, full_at, _ in rows})

    async def prune(self) -> None:
        """Forgets what is as good as never used. Raises psycopg's errors and PoolTimeout."""
        async with connected(self._pool, PATIENCE) as connection:
            await connection.execute(PRUNE, {"after": AFTER})
