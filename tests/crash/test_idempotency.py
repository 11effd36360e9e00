"""The same keys from several processes, at once and after a crash: always the first reply, always one effect."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from uuid import UUID, uuid4

import psycopg

from infra.event_log.migrations import migrate


def start(database: str, target: UUID, keys: list[UUID], how: str = "lives") -> subprocess.Popen[bytes]:
    arguments = [database, str(target), ",".join(map(str, keys)), how]
    return subprocess.Popen([sys.executable, "-m", "tests.crash.keyed", *arguments], stdout=subprocess.PIPE)


def replies(process: subprocess.Popen[bytes]) -> list[object]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    answers: list[object] = json.loads(output)
    return answers


def stored(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM counters.stored_events").fetchone()
    assert row
    return int(row[0])


def test_the_same_keys_at_once_in_three_processes(database: str):
    asyncio.run(migrate(database, ["counters"]))
    target, keys = uuid4(), [uuid4() for _ in range(40)]
    processes = [start(database, target, keys) for _ in range(3)]
    first, second, third = [replies(process) for process in processes]
    assert first == second == third
    assert stored(database) == 40


def test_a_crash_between_commit_and_answer(database: str):
    asyncio.run(migrate(database, ["counters"]))
    target, keys = uuid4(), [uuid4() for _ in range(5)]
    died = start(database, target, keys, "dies")
    died.communicate(timeout=60)
    assert died.returncode == 9
    written = stored(database)
    assert written > 0
    again = replies(start(database, target, keys))
    assert stored(database) == 5
    assert replies(start(database, target, keys)) == again
