"""`chobo move-context`: a context's log to another database while its writers go on, and a short stop at the end.

The log is copied in rounds. Then the old one is fenced: its writers are refused with a sentence, and what is left is
copied and verified. Last the new one, fenced until then, takes writes. Who is killed in between starts it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from infra.event_log import fence
from infra.event_log.migrations import lock_number
from infra.transfer.incoming import copy_in
from infra.transfer.lines import (
    EVENT_COLUMNS,
    EVENT_TYPES,
    REPLY_COLUMNS,
    REPLY_TYPES,
    Digest,
    Footer,
    Header,
    Row,
    event_line,
    reply_line,
)
from infra.transfer.outgoing import header_now, incarnation_and_head, replies

ROUND: Final = 20_000  # events copied in one transaction
NEAR: Final = 2_000  # events left when writers are stopped: a fraction of a second
AT_ONCE: Final = 1_000
MOVES: Final = 0x63686F6D  # 'chom': the first of the two numbers of the advisory lock of who moves a log

NOT_COMPLETE: Final = "the log of {context} is still copied to this database: it takes writes when that is done"
MOVED: Final = (
    "the log of {context} has moved to another database, or is just about to:"
    " set CHOBO_{name}_DATABASE_URL to it and restart this process"
)

# Everything but the events and what is kept of them, as it is at the end.
COPIED_WHOLE: Final = ("incarnation", "relay", "snapshots", "keys")

Told = Callable[[int, int], None]


class MoveRefused(Exception):
    """It cannot be done as things are; nothing was changed."""


class MoveFailed(Exception):
    """The copy is not the log. Writers go on where they were."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied, and the seconds for which nobody could write."""

    header: Header
    footer: Footer
    stopped: float


class Move:
    """Of one context, from `source` to `target`, connections in autocommit; both schemas are there (migrate)."""

    def __init__(
        self, source: psycopg.Connection[Any], target: psycopg.Connection[Any], context: str, told: Told
    ) -> None:
        self._source = source
        self._target = target
        self._context = context
        self._told = told
        self._here: Digest | None = None
        self._there: Digest | None = None
        self._header: Header | None = None

    def run(self) -> Moved:
        """Raises MoveRefused, MoveFailed, psycopg.Error; after the last of these it can be started again."""
        self._alone()
        if fence.is_fenced(self._source, self._context) and not fence.is_fenced(self._target, self._context):
            raise MoveRefused(f"{self._context} was moved before: the old log is fenced, the new one takes writes")
        self._begin()
        self._catch_up()
        began = time.monotonic()
        with self._source.transaction():
            fence.put_up(self._source, self._context, self._moved(), self._aim())
        try:
            done = self._finish()
        except BaseException:
            self._release_source()
            raise
        # From here on the old one stays closed, even if nobody hears that the new one is open.
        with self._target.transaction():
            fence.take_down(self._target, self._context)
        return Moved(*done, time.monotonic() - began)

    def abort(self) -> None:
        """Writers go on where they were; what was copied stays, for another try. Raises MoveRefused."""
        self._alone()
        if not fence.is_fenced(self._target, self._context) and fence.is_fenced(self._source, self._context):
            raise MoveRefused(
                f"{self._context} has been moved: its new log takes writes, and the two would differ from now on"
            )
        self._release_source()

    def _alone(self) -> None:
        """Nobody else moves it, or gives that up, as long as our connections are open. Raises MoveRefused.

        Two would open both logs to writers, and so would a second database to move it to.
        """
        self._lock(self._source)
        if identity(self._source) == identity(self._target):
            raise MoveRefused(f"the log of {self._context} is in that very database")
        self._lock(self._target)
        if fence.aim_of(self._source, self._context) not in {None, self._aim()}:
            raise MoveRefused(
                f"{self._context} was moved to another database than this one, or is on its way there: name that one"
            )

    def _lock(self, connection: psycopg.Connection[Any]) -> None:
        key = [MOVES, lock_number(self._context)]
        if connection.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone() != (True,):
            raise MoveRefused(f"{self._context} is being moved by somebody else, or that is being given up")

    def _aim(self) -> str:
        return "{} {}".format(*identity(self._target))

    def _moved(self) -> str:
        return MOVED.format(context=self._context, name=self._context.upper())

    def _release_source(self) -> None:
        with self._source.transaction():
            fence.take_down(self._source, self._context)

    def _begin(self) -> None:
        """The target is empty, or the beginning of this very log."""
        incarnation, head = incarnation_and_head(self._source, self._context)
        theirs, copied = incarnation_and_head(self._target, self._context)
        if copied and theirs != incarnation:
            raise MoveRefused(f"the log of {self._context} in the other database is not empty, and is another one")
        if copied and not fence.is_fenced(self._target, self._context):
            raise MoveRefused(f"the log of {self._context} was copied to the other database and takes writes there")
        if copied > head:
            raise MoveRefused(f"the copy ends at {copied}, the log at {head}: it was cut; empty the other database")
        with self._target.transaction():
            fence.put_up(self._target, self._context, NOT_COMPLETE.format(context=self._context))
            with fence.passing(self._target):
                self._copy_whole("incarnation")
        self._header = header_now(self._source, self._context)
        self._here, self._there = Digest(self._header), Digest(self._header)
        self._verify_again(copied)

    def _verify_again(self, upto: int) -> None:
        """What an earlier try copied."""
        for after in range(0, upto, ROUND):
            rows = stretch(self._source, self._context, after, min(after + ROUND, upto))
            self._counted(rows, after, min(after + ROUND, upto))

    def _catch_up(self) -> None:
        """Until little is left, or what is left does not grow less."""
        left: int | None = None
        while True:
            _, head = incarnation_and_head(self._source, self._context)
            before, left = left, head - self._copied
            if left <= NEAR or (before is not None and left >= before > 0):
                return
            self._copy_upto(head)

    @property
    def _copied(self) -> int:
        assert self._there is not None
        return self._there.events

    def _copy_upto(self, head: int) -> None:
        while self._copied < head:
            after, upto = self._copied, min(self._copied + ROUND, head)
            rows = list(stretch(self._source, self._context, after, upto))
            with fence.passing(self._target):
                copy_in(self._target, self._context, "stored_events", EVENT_COLUMNS, EVENT_TYPES, rows)
            self._counted(rows, after, upto)
            self._told(self._copied, head)

    def _counted(self, rows: Iterable[Row], after: int, upto: int) -> None:
        """Both sides as they are read: what was written is read back."""
        assert self._here is not None
        assert self._there is not None
        for row in rows:
            self._here.event(event_line(row))
        for row in stretch(self._target, self._context, after, upto):
            self._there.event(event_line(row))

    def _finish(self) -> tuple[Header, Footer]:
        """Nobody writes any more: the last of it, and what else there is."""
        incarnation, head = incarnation_and_head(self._source, self._context)
        self._copy_upto(head)
        with fence.passing(self._target):
            self._copy_replies()
            for table in COPIED_WHOLE:
                self._copy_whole(table)
        assert self._here is not None
        assert self._there is not None
        for row in replies_now(self._source, self._context):
            self._here.reply(reply_line(row))
        for row in replies_now(self._target, self._context):
            self._there.reply(reply_line(row))
        if self._here.footer() != self._there.footer() or self._here.events != head:
            raise MoveFailed(f"copied {self._there.footer()}, the log is {self._here.footer()} up to {head}")
        assert self._header is not None
        if incarnation != self._header.incarnation:
            raise MoveFailed("meanwhile the log has begun a new incarnation: start again")
        return replace(self._header, head=head), self._there.footer()

    def _copy_replies(self) -> None:
        """A reply never changes, so the keys say which are to be copied."""
        self._target.execute("CREATE TEMPORARY TABLE moving_keys (key uuid) ON COMMIT DROP")
        keys = self._source.execute(sql.SQL("SELECT key FROM {}").format(self._name("replies")))
        with self._target.cursor().copy("COPY moving_keys FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["uuid"])
            for row in keys:
                copy.write_row(row)
        replies = self._name("replies")
        self._target.execute(
            sql.SQL("DELETE FROM {} AS r WHERE NOT EXISTS (SELECT FROM moving_keys m WHERE m.key = r.key)").format(
                replies
            )
        )
        missing = self._target.execute(
            sql.SQL("SELECT key FROM moving_keys EXCEPT SELECT key FROM {}").format(replies)
        ).fetchall()
        columns = sql.SQL(", ").join(map(sql.Identifier, REPLY_COLUMNS))
        query = sql.SQL("SELECT {} FROM {} WHERE key = ANY (%s)").format(columns, replies)
        for n in range(0, len(missing), AT_ONCE):
            rows = self._source.execute(query, [[key for (key,) in missing[n : n + AT_ONCE]]], binary=True).fetchall()
            copy_in(self._target, self._context, "replies", REPLY_COLUMNS, REPLY_TYPES, rows)

    def _copy_whole(self, table: str) -> None:
        """A table of which there is little. As text, for whatever columns both sides have."""
        columns = [
            column for column in self._columns(self._source, table) if column in self._columns(self._target, table)
        ]
        if not columns:
            return
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._target.execute(sql.SQL("DELETE FROM {}").format(self._name(table)))
        out = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, self._name(table))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(self._name(table), names)
        with self._source.cursor().copy(out) as reading, self._target.cursor().copy(into) as writing:
            for block in reading:
                writing.write(block)
        if table == "incarnation":
            self._target.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'number'), max(number))"
                f" FROM {self._context}.incarnation".encode(),
                [f"{self._context}.incarnation"],
            )

    def _columns(self, connection: psycopg.Connection[Any], table: str) -> list[str]:
        found = connection.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [f"{self._context}.{table}"],
        )
        return [name for (name,) in found]

    def _name(self, table: str) -> sql.Identifier:
        return sql.Identifier(self._context, table)


def identity(connection: psycopg.Connection[Any]) -> Any:
    """Of a database: the same whatever name or address leads to it."""
    return connection.execute("SELECT system_identifier, current_database() FROM pg_control_system()").fetchone()


def stretch(connection: psycopg.Connection[Any], context: str, after: int, upto: int) -> Iterator[Row]:
    query = sql.SQL("SELECT {} FROM {} WHERE notification_id > %s AND notification_id <= %s ORDER BY 1").format(
        sql.SQL(", ").join(map(sql.Identifier, EVENT_COLUMNS)), sql.Identifier(context, "stored_events")
    )
    yield from connection.execute(query, [after, upto], binary=True)


def replies_now(connection: psycopg.Connection[Any], context: str) -> Iterator[Row]:
    with connection.transaction():  # for its cursor
        yield from replies(connection, context)
