"""The process that notifies, killed at any step: each mail goes out once, but where nobody can know."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import psycopg
import pytest

from infra.bootstrap import running
from infra.duties import Duty
from infra.settings import Settings
from tests.crash.teller import STEPS, TWICE
from tests.eventually import until
from tests.infra.mail.letters import Postman, post_office

WELCOME = "SELECT status, count(*) FROM projections.todo WHERE kind = 'deliver' GROUP BY status"


@contextmanager
def teller(database: str, port: int, deaths: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.crash.teller", database, str(port), deaths]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def shop(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """Takes commands only."""
    settings = Settings.read({}, profile="development", database_url=database)
    async with running(settings, {Duty.COMMANDS}) as system:
        transport = httpx.ASGITransport(system.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as client:
            yield client


async def register(client: httpx.AsyncClient, number: int) -> str:
    email = f"user{number}@example.org"
    answer = await client.post("/v1/users", json={"email": email, "password": "correct horse", "name": "Hana"})
    assert answer.status_code == 201, answer.text
    return email


async def delivered(database: str) -> dict[str, int]:
    """To-do rows by status."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        return dict(await (await connection.execute(WELCOME)).fetchall())


async def outcomes(database: str) -> list[tuple[str, int]]:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute(
            "SELECT topic, count(*) FROM notifications.stored_events GROUP BY topic ORDER BY topic"
        )
        return [*(await found.fetchall())]


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_dies_at_a_step_sends_each_mail_once(database: str, step: str) -> None:
    postman, number = Postman(), 3
    async with shop(database) as client, post_office(postman) as port:
        emails = [await register(client, n) for n in range(number)]
        with teller(database, port, f"{step}=1") as mortal:
            await until(lambda: mortal.poll() is not None, within=40)

        async def done() -> bool:
            return await delivered(database) == {"DONE": number}

        with teller(database, port, ""):
            await until(done, within=40)
    to = Counter(str(mail["To"]) for mail in postman.kept)
    assert {address.partition("<")[2].rstrip(">") for address in to} == set(emails)
    assert len({mail["Message-ID"] for mail in postman.kept}) == number
    assert step == TWICE or set(to.values()) == {1}
    assert await outcomes(database) == [
        ("notifications.notification-requested", number),
        ("notifications.notification-sent", number),
    ]
