"""The files of an embedded server: made whole or not at all, and open to nobody but us."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Final

from infra.embedded.programs import MAJOR, Account, PostgresFailed, binary, last_words, spawn

ROLE: Final = "chobo"
DATABASE: Final = "chobo"
INITDB: Final = (
    f"--username={ROLE}",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--auth=reject",  # files of our own say who may come in
    "--no-instructions",
)


def create(cluster: Path, log: Path, watch: str) -> None:
    """Made beside its place and then moved there, so that a killed attempt is simply made again."""
    new = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    account = Account.for_cluster(cluster)
    new.mkdir(mode=0o700)
    account.own(new)
    if spawn([str(binary("initdb")), "-D", str(new), *INITDB], account, log, watch=watch).wait() != 0:
        raise PostgresFailed(f"initdb failed:\n{last_words(log)}")
    _create_database(new, account, log)
    new.replace(cluster)


def _create_database(cluster: Path, account: Account, log: Path) -> None:
    """In single-user mode: no moment at which a half-made cluster could be connected to."""
    program = [str(binary("postgres")), "--single", "-c", "exit_on_error=on", "-D", str(cluster), "postgres"]
    child = spawn(program, account, log, watch="none", stdin=subprocess.PIPE)
    child.communicate(f"CREATE DATABASE {DATABASE};\n".encode())
    if child.returncode != 0:
        raise PostgresFailed(f"the database could not be created:\n{last_words(log)}")


def check_version(cluster: Path) -> None:
    if (version := (cluster / "PG_VERSION").read_text().strip()) != MAJOR:
        raise PostgresFailed(f"{cluster} was made by PostgreSQL {version}; this release needs {MAJOR}")


def let_only_us_in(cluster: Path) -> dict[str, str]:
    """Writes who may connect: the system's user that we are, as our role. The settings that name the files."""
    rules = {
        # the second for pg_basebackup
        "hba": f"local all {ROLE} peer map=chobo\nlocal replication {ROLE} peer map=chobo\n",
        "ident": f"chobo {pwd.getpwuid(os.geteuid()).pw_name} {ROLE}\n",
    }
    for name, text in rules.items():
        path = cluster / f"chobo_{name}.conf"
        path.write_text(text)
        path.chmod(0o644)
    return {f"{name}_file": str(cluster / f"chobo_{name}.conf") for name in rules}


def own_socket_directory(path: Path, account: Account) -> None:
    """It may lie in the shared temporary directory: somebody else's of that name is refused."""
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.lstat().st_uid
    if owner not in (os.geteuid(), account.uid):
        raise PostgresFailed(f"{path} belongs to user {owner}: remove it or choose another directory with --data")
    account.own(path)


def forget_the_dead(cluster: Path) -> None:
    """A killed server that nobody waited for (a container whose first process does not) still counts as running for
    PostgreSQL. We hold the directory's lock, so its pid file may go."""
    pid_file = cluster / "postmaster.pid"
    if pid_file.exists() and _is_zombie(pid_file.read_text().partition("\n")[0]):
        pid_file.unlink()


def _is_zombie(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
