"""Writers killed and connections cut while a reader looks on: nothing acknowledged is lost, nothing appears late."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from infra.event_log.migrations import migrate
from tests.eventually import eventually
from tests.full import randomness, seed, size

WRITERS = 4


class Writers:
    """Writer processes; what they acknowledged is in `acknowledged` once they have ended."""

    def __init__(self, database: str, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._outputs: list[Path] = []

    def start(self) -> None:
        output = self._folder / f"writer-{len(self._outputs)}"
        command = [sys.executable, "-m", "tests.crash.writer", self._database, str(seed() + len(self._outputs))]
        self._outputs.append(output)
        with output.open("wb") as stdout:
            self._running.append(subprocess.Popen(command, stdout=stdout))

    def kill_one(self, dice: random.Random) -> None:
        writer = self._running.pop(dice.randrange(len(self._running)))
        writer.kill()
        writer.wait()
        self.start()

    def stop(self) -> None:
        for writer in self._running:
            writer.kill()
            writer.wait()

    @property
    def acknowledged(self) -> set[tuple[UUID, int]]:
        lines: list[bytes] = []
        for output in self._outputs:
            lines += (line for line in output.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
        return {(UUID(id.decode()), int(version)) for id, version in (line.split() for line in lines)}


class Reader(threading.Thread):
    """Follows the log. `missed` are positions that were not there when a later one was seen."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.seen = 0
        self.missed: list[int] = []
        self.stopped = threading.Event()

    def is_beyond(self, position: int) -> bool:
        return self.seen > position

    def run(self) -> None:
        query = "SELECT notification_id FROM counters.stored_events WHERE notification_id > %s ORDER BY 1 LIMIT 5000"
        with psycopg.connect(self._database, autocommit=True) as connection:
            while not self.stopped.is_set():
                for (position,) in connection.execute(query, [self.seen]):
                    self.missed += range(self.seen + 1, position)
                    self.seen = position


def cut(database: str, dice: random.Random) -> None:
    """Ends the connection of one writer, whatever it is doing."""
    with psycopg.connect(database, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%counters.append%'"
        ).fetchall()
        for (pid,) in rows and [dice.choice(rows)]:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.mark.full("log")
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_nothing_appears_late(database: str):
    asyncio.run(migrate(database, ["counters"]))
    dice = randomness()
    with tempfile.TemporaryDirectory() as folder:
        writers, reader = Writers(database, Path(folder)), Reader(database)
        reader.start()
        for _ in range(WRITERS):
            writers.start()
        try:
            eventually(lambda: reader.seen > 200, 60)
            for _ in range(size(6, 60)):
                aim = reader.seen + dice.randrange(100, 400)
                eventually(partial(reader.is_beyond, aim), 60)
                writers.kill_one(dice) if dice.random() < 0.5 else cut(database, dice)
            writers.stop()
            eventually(lambda: reader.seen == count(database), 60)
        finally:
            writers.stop()
            reader.stopped.set()
            reader.join()
        acknowledged = writers.acknowledged
    stored = streams(database)
    assert reader.missed == []
    assert len(acknowledged) > 200
    assert acknowledged <= stored
    assert {version for _, version in stored} >= {1}
    assert gaps(stored) == []


def count(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM counters.stored_events").fetchone()
        assert row
        return int(row[0])


def streams(database: str) -> set[tuple[UUID, int]]:
    with psycopg.connect(database) as connection:
        return set(connection.execute("SELECT originator_id, originator_version FROM counters.stored_events"))


def gaps(stored: set[tuple[UUID, int]]) -> list[tuple[UUID, int]]:
    """Versions whose predecessor is missing."""
    return [(id, version) for id, version in stored if version > 1 and (id, version - 1) not in stored]
