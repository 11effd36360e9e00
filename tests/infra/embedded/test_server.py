"""The embedded PostgreSQL survives what happens to it, and says so when it cannot start."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.embedded import DataDirectoryInUse, EmbeddedPostgres, PostgresFailed, server
from tests.eventually import eventually

HOST = """
import sys, time
from pathlib import Path
from infra.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), watch=sys.argv[2])
postgres.start()
print(postgres.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def become(account: pwd.struct_passwd) -> list[str]:
    """The interpreter may lie in root's home, so the user may read through directories."""
    user = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return ["setpriv", *user, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def write(postgres: EmbeddedPostgres, number: int) -> None:
    with psycopg.connect(postgres.conninfo()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (n int)")
        connection.execute("INSERT INTO numbers VALUES (%s)", [number])


def written(postgres: EmbeddedPostgres) -> list[int]:
    with psycopg.connect(postgres.conninfo()) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY n")]


@pytest.fixture
def data(empty_data: Path) -> Path:
    return empty_data


@pytest.fixture
def postgres_on(data: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data) as postgres:
        yield postgres


def test_it_starts_again_on_the_same_data(data: Path) -> None:
    for number in (1, 2):
        with EmbeddedPostgres(data) as postgres:
            write(postgres, number)
            assert written(postgres) == list(range(1, number + 1))


def test_it_is_version_18_with_the_settings_of_a_durable_server(postgres_on: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_on.conninfo()) as connection:
        assert connection.info.server_version // 10000 == 18
        settings = {name: connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")}
        assert settings == {"fsync": ("on",), "synchronous_commit": ("on",)}
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_second_start_on_the_same_data_says_who_uses_it(postgres_on: EmbeddedPostgres) -> None:
    with pytest.raises(DataDirectoryInUse, match=f"in use by process {os.getpid()}: stop that one first"):
        EmbeddedPostgres(postgres_on.data).start()
    write(postgres_on, 1)


@pytest.mark.parametrize("watch", ["signal", "pipe"])
def test_it_ends_with_its_parent_even_after_kill_9(data: Path, watch: str) -> None:
    if watch == "signal" and sys.platform != "linux":
        pytest.skip("the parent-death signal is Linux's")
    with subprocess.Popen([sys.executable, "-c", HOST, str(data), watch], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout
        child = int(host.stdout.readline())
        host.kill()
    with EmbeddedPostgres(data) as postgres:  # waits for the old one to be gone
        assert not is_running(child)
        write(postgres, 1)


def test_after_kill_9_of_the_server_it_comes_back_with_what_was_committed(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres:
        write(postgres, 1)
        assert postgres.pid
        os.kill(postgres.pid, signal.SIGKILL)
        asyncio.run(postgres.ended())
        postgres.start()
        assert written(postgres) == [1]


def test_a_start_after_kill_9_of_everything_works(data: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOST, str(data), "pipe"], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout
        child = int(host.stdout.readline())
        os.kill(child, signal.SIGKILL)
        host.kill()
    with EmbeddedPostgres(data) as postgres:
        write(postgres, 1)


async def test_its_end_is_noticed_and_it_can_be_restarted_in_the_event_loop(data: Path) -> None:
    with EmbeddedPostgres(data) as postgres:
        write(postgres, 1)
        assert postgres.pid
        os.kill(postgres.pid, signal.SIGKILL)
        assert await postgres.ended() == -signal.SIGKILL
        await postgres.restart()
        assert written(postgres) == [1]


def test_a_killed_creation_is_made_again(data: Path) -> None:
    half = data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data) as postgres:
        write(postgres, 1)


def test_a_long_path_puts_the_socket_elsewhere(data: Path) -> None:
    with EmbeddedPostgres(data / ("long" * 40)) as postgres:
        assert len(str(postgres.socket_directory)) < server.SOCKET_PATH_LIMIT
        write(postgres, 1)


def test_other_versions_data_is_refused_with_a_sentence(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(PostgresFailed, match="made by PostgreSQL 16; this release needs 18"):
        EmbeddedPostgres(data).start()


def test_a_failing_start_says_what_postgres_said_and_frees_the_directory(data: Path) -> None:
    with pytest.raises(PostgresFailed, match='unrecognized configuration parameter "no_such_setting"'):
        EmbeddedPostgres(data, settings={"no_such_setting": "1"}).start()
    with EmbeddedPostgres(data) as postgres:
        write(postgres, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; ordinary users run the tests above")
def test_an_ordinary_user_can_run_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    account = pwd.getpwnam("nobody")
    data = Path("/tmp") / f"chobo-test-{os.getpid()}"
    data.mkdir()
    try:
        os.chown(data, account.pw_uid, account.pw_gid)
        script = (
            "from infra.embedded import EmbeddedPostgres; from pathlib import Path; import psycopg\n"
            f"with EmbeddedPostgres(Path({str(data)!r})) as p: print(psycopg.connect(p.conninfo()).info.user)"
        )
        done = subprocess.run(
            [*become(account), sys.executable, "-c", script],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        assert (done.stdout.strip(), done.stderr) == ("chobo", "")
    finally:
        subprocess.run(["rm", "-rf", str(data)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="root's home is root's")
def test_root_can_keep_the_data_where_others_may_not_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "data") as postgres:
        write(postgres, 1)
        assert (closed / "data" / "postgres").stat().st_uid != 0


@pytest.fixture(autouse=True)
def nothing_is_left_running(data: Path) -> Iterator[None]:
    yield
    eventually(lambda: not (data / "postgres" / "postmaster.pid").exists())
