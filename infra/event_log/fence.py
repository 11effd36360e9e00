"""Keeps everybody from writing to a log: while it moves to another database, and for ever where it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from commands.log import Unavailable

SQLSTATE: Final = "CH001"
"""What a refused write fails with. Nothing of it was written, and nothing of it was before."""

TABLES: Final = ("stored_events", "replies", "keys")
"""Of those that there are: only users have keys."""

TRIGGER: Final = sql.Identifier("fence")
FENCED: Final = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'fence' AND tgrelid = to_regclass(%s))"
ARGUMENTS: Final = "SELECT tgargs FROM pg_trigger WHERE tgname = 'fence' AND tgrelid = to_regclass(%s)"
THERE: Final = "SELECT to_regclass(%s) IS NOT NULL"


def put_up(connection: psycopg.Connection[Any], context: str, message: str, aim: str = "") -> None:
    """Waits for the writes under way; those that come later fail with `message`. Commits with the transaction.

    `aim` says where the log goes, for `aim_of`.
    """
    for table in _tables(connection, context):
        connection.execute(
            sql.SQL(
                "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}({}, {})"
            ).format(TRIGGER, sql.Identifier(context, table), sql.Identifier(context, "refuse_writes"), message, aim)
        )


def take_down(connection: psycopg.Connection[Any], context: str) -> None:
    """Harmless where there is none."""
    for table in _tables(connection, context):
        connection.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(TRIGGER, sql.Identifier(context, table)))


def is_fenced(connection: psycopg.Connection[Any], context: str) -> bool:
    return connection.execute(FENCED, [f"{context}.stored_events"]).fetchone() == (True,)


def aim_of(connection: psycopg.Connection[Any], context: str) -> str | None:
    """What the fence was put up for; None where there is none."""
    found = connection.execute(ARGUMENTS, [f"{context}.stored_events"]).fetchone()
    return None if found is None else _arguments(found[0])[1]


def message_in(arguments: bytes) -> str:
    """What refused writes fail with, from the trigger's arguments as the database keeps them."""
    return _arguments(arguments)[0]


def _arguments(kept: bytes) -> list[str]:
    return bytes(kept).decode().split("\0")


@contextmanager
def unavailable() -> Iterator[None]:
    """Turns a refused write into Unavailable."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != SQLSTATE:
            raise
        raise Unavailable(error.diag.message_primary or "") from error


@contextmanager
def passing(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction that the fence lets through: the one that fills the log."""
    with connection.transaction():
        connection.execute("SELECT set_config('chobo.moves_a_log', 'on', true)")
        yield


def _tables(connection: psycopg.Connection[Any], context: str) -> list[str]:
    return [t for t in TABLES if connection.execute(THERE, [f"{context}.{t}"]).fetchone() == (True,)]
