"""Starts, watches and stops the embedded PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, Self

from infra.embedded import cluster
from infra.embedded.programs import Account, Child, PostgresFailed, binary, last_words, spawn

SOCKET_PATH_LIMIT: Final = 90
"""Characters of a socket's directory; the system allows about 104 with the socket's own name."""
LOG_LIMIT: Final = 10_000_000
RETRY_FOR: Final = 15.0
"""Seconds for which a start is repeated while another server's lock is in the way."""
START_WITHIN: Final = 600.0
"""Seconds that recovery after a crash may take."""

SETTINGS: Final[dict[str, str]] = {
    "listen_addresses": "",  # no TCP: whoever may enter the socket's directory is who we are
    "port": "5432",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",  # every query of ours is short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "fsync": "on",
    "synchronous_commit": "on",
}


class DataDirectoryInUse(Exception):
    def __init__(self, data: Path, holder: str) -> None:
        super().__init__(
            f"the data directory {data} is in use by process {holder or 'unknown'}: "
            "stop that one first, or choose another directory with --data"
        )


class EmbeddedPostgres:
    """A server on the data directory `data`, reachable through a Unix socket only.

    Start it from the main thread: on Linux it ends when the thread that started it does.
    `settings` override those above; `watch` is how it notices our end ('signal' or 'pipe', see launch.py).
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None, watch: str | None = None) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "postgres"
        self.log = self.data / "postgres.log"
        self.settings = SETTINGS | dict(settings or {})
        self.watch = watch or ("signal" if sys.platform == "linux" else "pipe")
        self._lock: IO[str] | None = None
        self._child: Child | None = None
        self._program: list[str] = []
        self._began = 0.0

    @property
    def socket_directory(self) -> Path:
        inside = self.data / "run"
        if len(str(inside)) <= SOCKET_PATH_LIMIT:
            return inside
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"chobo-{os.geteuid()}-{name}"

    def conninfo(self, database: str = cluster.DATABASE) -> str:
        return f"host={self.socket_directory} port={self.settings['port']} user={cluster.ROLE} dbname={database}"

    @property
    def listens(self) -> bool:
        """Whether a server, ours or another process's, has its socket there. One that was killed may have left it."""
        return (self.socket_directory / f".s.PGSQL.{self.settings['port']}").exists()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Returns when connections are accepted. Creates the cluster at first.

        Raises DataDirectoryInUse or PostgresFailed.
        """
        self._begin()
        while not self._progress():
            time.sleep(0.01)

    async def restart(self) -> None:
        """Starts the server again after it ended by itself, without holding up the event loop."""
        self._begin()
        while not self._progress():
            await asyncio.sleep(0.01)

    async def ended(self) -> int:
        """Waits until the server ends, whoever ended it; its exit code."""
        while (code := self._exit_code()) is None:
            await asyncio.sleep(0.2)
        return code

    def stop(self) -> None:
        """Ends the server: sessions are cut off, what was committed is flushed. Harmless when it does not run."""
        self._end_child()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self) -> None:
        if self.watch == "signal" and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start PostgreSQL from the main thread: it ends with the thread that started it")
        if self._exit_code() is None:
            raise RuntimeError(f"PostgreSQL on {self.data} runs already")
        self._child = None
        self._began = time.monotonic()
        self._own_data()
        try:
            self._prepare()
        except BaseException:
            self.stop()
            raise

    def _progress(self) -> bool:
        """One look: starts the child if there is none, answers whether it accepts connections."""
        waited = time.monotonic() - self._began
        if self._child is None:
            self._child = spawn(self._program, Account.for_cluster(self.cluster), self.log, watch=self.watch)
        elif self._exit_code() is not None:
            self._child = None
            if waited > RETRY_FOR or not self._is_locked_out():
                self._fail()
        elif self._is_ready():
            return True
        elif waited > START_WITHIN:
            self._fail()
        return False

    def _own_data(self) -> None:
        if self._lock is not None:
            return
        self.data.mkdir(parents=True, exist_ok=True)
        lock = (self.data / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise DataDirectoryInUse(self.data, holder) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _prepare(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not self.cluster.exists():
            cluster.create(self.cluster, self.log, self.watch)
        cluster.check_version(self.cluster)
        cluster.own_socket_directory(self.socket_directory, Account.for_cluster(self.cluster))
        cluster.forget_the_dead(self.cluster)
        socket = {"unix_socket_directories": str(self.socket_directory), "unix_socket_permissions": "0700"}
        settings = self.settings | socket | cluster.let_only_us_in(self.cluster)
        self._program = [str(binary("postgres")), "-D", str(self.cluster), *(f"--{k}={v}" for k, v in settings.items())]

    def _is_ready(self) -> bool:
        """Connecting could reach another process's server; the pid file says whose it is."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(self.pid)] and lines[-1] == "ready"

    def _is_locked_out(self) -> bool:
        """Whether the child gave up because of another server's lock. One that was killed leaves it for two seconds."""
        return any(word in last_words(self.log) for word in ("lock file", "shared memory block"))

    def _fail(self) -> None:
        self.stop()
        raise PostgresFailed(f"PostgreSQL on {self.data} did not come up:\n{last_words(self.log)}")

    def _exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.poll() if self._child else 0

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGQUIT)
            child.wait()
        if child.stdin:
            child.stdin.close()
