"""A log goes into a file and comes out of it as it was, or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.counter import COUNTERS
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from infra.transfer import files, lines
from infra.transfer.files import NotWhole
from infra.transfer.incarnation import info, new_incarnation
from infra.transfer.incoming import NotEmpty, take_in
from infra.transfer.lines import NotALog
from infra.transfer.outgoing import export
from tests.conftest import fresh_database
from tests.eventually import eventually
from tests.full import size
from tests.infra.stored import a_log, append, execute, some_orders

EVENTS = "SELECT * FROM {context}.stored_events ORDER BY notification_id"
REPLIES = "SELECT * FROM {context}.replies ORDER BY key"


def quiet(done: int, all: int) -> None:
    pass


def stored(database: str, context: str = "orders") -> tuple[list[Any], list[Any]]:
    return execute(database, EVENTS.format(context=context)), execute(database, REPLIES.format(context=context))


@pytest.fixture
async def other(postgres: EmbeddedPostgres):
    """A second database, with an empty log."""
    with fresh_database(postgres) as database:
        await migrate(database, ["orders"])
        yield database


@pytest.fixture
async def exported(database: str, tmp_path: Path) -> Path:
    await a_log(database)
    for first in (3, None):
        execute(database, "INSERT INTO orders.replies VALUES (%s, 'd', '\\x00ff', %s, NULL)", uuid4(), first)
    execute(database, "INSERT INTO orders.replies VALUES (%s, 'd', '{}', 1, now() + interval '7 days')", uuid4())
    export(database, "orders", path := tmp_path / "orders.jsonl", quiet)
    return path


@pytest.mark.parametrize("name", ["orders.jsonl", "orders.jsonl.zst"])
def test_events_and_replies_come_back_as_they_were(database: str, other: str, exported: Path, name: str):
    header, written = export(database, "orders", path := exported.with_name(name), quiet)
    assert take_in(other, path, quiet)[1] == written
    assert stored(other) == stored(database)
    assert header.head == written.events == len(stored(database)[0])
    assert written.replies == 3


def test_an_import_begins_a_new_incarnation(database: str, other: str, exported: Path):
    before = info(other, "orders").incarnation
    take_in(other, exported, quiet)
    after = info(other, "orders")
    assert after.incarnation not in {before, info(database, "orders").incarnation}
    assert str(info(database, "orders").incarnation) in after.reason


def test_the_compressed_file_is_zstd(database: str, exported: Path):
    export(database, "orders", path := exported.with_name("orders.jsonl.zst"), quiet)
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
        header = json.loads(reader.read().splitlines()[0])
    assert (header["chobo"], header["format"], header["context"]) == ("log", 1, "orders")


def test_personal_fields_stay_sealed(exported: Path):
    assert "Lovelace" not in exported.read_text()


def test_a_log_that_is_not_empty_takes_nothing(database: str, exported: Path):
    before = stored(database)
    with pytest.raises(NotEmpty, match="only imported into an empty log"):
        take_in(database, exported, quiet)
    assert stored(database) == before


def without(number: int):
    return lambda text: [line for n, line in enumerate(text) if n != number]


def changed(number: int, before: bytes, after: bytes):
    def change(text: Sequence[bytes]) -> list[bytes]:
        assert before in text[number]
        return [line.replace(before, after) if n == number else line for n, line in enumerate(text)]

    return change


@pytest.mark.parametrize(
    "change,reason",
    [
        (lambda text: text[:-1], "cut off after"),
        (lambda text: [*text[:-1], text[-1][:20]], "cut off or not JSON"),
        (lambda text: [*text[:5], text[5][:40]], "line 6 is cut off"),
        (without(4), "line 5 has position 5, 4 is due"),
        (changed(3, b"EUR", b"USD"), "the file was altered"),
        (changed(3, b'"test"', b'"best"'), "the file was altered"),
        (changed(0, b'"format":1', b'"format":2'), "import it with a later release"),
        (changed(0, b'"context":"orders"', b'"context":"users"'), "the log of users, not of orders"),
        (changed(0, b'"chobo":"log"', b'"chobo":"keys"'), "not the header of an exported log"),
        (lambda text: [*text, b'{"more":1}\n'], "goes on after its last line"),
        (lambda text: [text[0], b"[]\n", *text[1:]], "line 2 is cut off or not JSON"),
        (lambda text: [text[0], b'{"position":1}\n', *text[1:]], "line 2 is damaged"),
        (lambda _: [], "line 1 is cut off or not JSON"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_and_nothing_taken(other: str, exported: Path, change, reason):
    text = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(change(text)))
    with pytest.raises(NotWhole, match=reason):
        take_in(other, exported, quiet, expected="orders")
    assert stored(other) == ([], [])


def test_a_damaged_compressed_file_is_refused(database: str, other: str, exported: Path):
    export(database, "orders", path := exported.with_name("orders.jsonl.zst"), quiet)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(NotWhole):
        take_in(other, path, quiet)
    path.write_bytes(damaged[: len(damaged) // 3])
    with pytest.raises(NotWhole):
        take_in(other, path, quiet)
    assert stored(other) == ([], [])


def test_lines_with_a_good_digest_but_in_another_form_are_refused(other: str, exported: Path):
    """What is stored must read as what was signed: extra fields would be lost without a word."""
    text = exported.read_bytes().splitlines(keepends=True)
    text[1] = text[1].replace(b'"position":1', b'"extra":1,"position":1')
    resign(exported, text)
    with pytest.raises(NotALog, match="reads differently"):
        take_in(other, exported, quiet)
    assert stored(other) == ([], [])


def test_streams_with_a_hole_are_refused(other: str, exported: Path):
    text = exported.read_bytes().splitlines(keepends=True)
    text[1] = text[1].replace(b'"version":1', b'"version":900')
    resign(exported, text)
    with pytest.raises(NotALog, match=r"the versions of stream .* are not 1, 2, 3"):
        take_in(other, exported, quiet)


def resign(path: Path, text: list[bytes]) -> None:
    digest = lines.Digest(lines.header_of(text[0]))
    for line in text[1:-1]:
        (digest.event if b'"position"' in line else digest.reply)(line)
    path.write_bytes(b"".join([*text[:-1], digest.footer().line()]))


states = st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode))
texts = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
turns = st.lists(st.tuples(st.integers(0, 4), states, texts, st.none() | st.uuids(), st.datetimes()), max_size=12)


@pytest.fixture(scope="module")
def pair(postgres: EmbeddedPostgres):
    with ExitStack() as stack:
        yield [stack.enter_context(fresh_database(postgres)) for _ in range(2)]


@pytest.mark.full("log")
async def test_any_log_comes_back_byte_for_byte(pair: list[str], tmp_path: Path):
    for database in pair:
        await migrate(database, [COUNTERS.name])
    path = tmp_path / "any.jsonl.zst"

    @given(turns)
    @settings(max_examples=size(30, 1000), suppress_health_check=list(HealthCheck))
    def comes_back(log: list[Any]) -> None:
        for database in pair:
            execute(database, "TRUNCATE counters.stored_events, counters.replies")
        write(pair[0], log)
        export(pair[0], "counters", path, quiet)
        take_in(pair[1], path, quiet)
        assert stored(pair[1], "counters") == stored(pair[0], "counters")

    comes_back()


def write(database: str, log: list[Any]) -> None:
    versions: dict[int, int] = {}
    with psycopg.connect(database) as connection:
        for position, (stream, state, text, causation, at) in enumerate(log, 1):
            versions[stream] = versions.get(stream, 0) + 1
            values = [UUID(int=stream), versions[stream], text or "t", state, position, at, text, causation, text, text]
            connection.execute(
                "INSERT INTO counters.stored_events VALUES (%s, %s, %s, %s, %s, uuidv7(), %s, %s, %s, %s, %s)", values
            )
            if state:
                row = [uuid4(), state, state, position, None, at]
                connection.execute("INSERT INTO counters.replies VALUES (%s, %s, %s, %s, %s, %s)", row)


def import_and_be_killed(database: str, path: Path, after: int) -> None:
    def told(done: int, all: int) -> None:
        if done >= after:
            os.kill(os.getpid(), signal.SIGKILL)

    take_in(database, path, told)


@pytest.mark.parametrize("after", [2000, 4000])
async def test_an_import_that_is_killed_leaves_the_log_empty(database: str, other: str, tmp_path: Path, after: int):
    await a_log(database, events=some_orders(1_400))
    export(database, "orders", path := tmp_path / "orders.jsonl", quiet)
    process = multiprocessing.get_context("spawn").Process(target=import_and_be_killed, args=(other, path, after))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    eventually(lambda: not execute(other, "SELECT FROM pg_locks WHERE locktype = 'advisory'"))  # the server has noticed
    assert stored(other) == ([], [])
    take_in(other, path, quiet)
    assert stored(other) == stored(database)


def written_to(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_an_export_that_fails_leaves_no_file(database: str, tmp_path: Path):
    await a_log(database)

    def told(done: int, all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(database, "orders", tmp_path / "orders.jsonl", told)
    assert "orders.jsonl" not in {path.name for path in written_to(tmp_path)}


async def test_an_export_is_of_one_moment(database: str, other: str, tmp_path: Path):
    """What is appended while it runs is not in it."""
    await a_log(database, events=some_orders(600))
    more = some_orders(700)[-20:]

    def told(done: int, all: int) -> None:
        append(database, "orders", [e.model_copy(update={"originator_id": uuid4()}) for e in more])

    header, footer = export(database, "orders", path := tmp_path / "orders.jsonl", told)
    assert footer.events == header.head < info(database, "orders").head
    with files.lines(path) as text:
        assert sum(b'"position"' in line for line in text) == footer.events


async def test_a_new_incarnation_is_told_with_its_reason(database: str):
    await a_log(database)
    before = info(database, "orders")
    id = new_incarnation(database, "orders", "restored from last night")
    after = info(database, "orders")
    assert (after.incarnation, after.reason) == (id, "restored from last night")
    assert (after.head, after.incarnations) == (before.head, before.incarnations + 1)
