"""Becomes PostgreSQL: drops root, arranges to die with the parent, then exec. Run as a script, imports nothing of ours.

    python -I launch.py PARENT_PID UID GID WATCH -- /path/postgres --name=value ...

UID -1 keeps the user. WATCH is `signal` (Linux: the kernel sends SIGINT when the parent's main thread ends), `pipe`
(elsewhere: a process of its own waits for the end of our standard input and then sends SIGINT) or `none`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    parent, uid, gid, watch = int(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3]
    program = arguments[arguments.index("--") + 1 :]
    if uid != -1:
        drop_root(uid, gid)
    if watch == "signal":
        die_with_parent()  # last: a change of user clears it
    elif watch == "pipe":
        watch_pipe()
    if os.getppid() != parent:
        sys.exit("the parent ended before PostgreSQL was started")
    os.execv(program[0], program)  # noqa: S606 - the program is ours, there is no shell to want


def drop_root(uid: int, gid: int) -> None:
    """PostgreSQL refuses to run as root. Files and clone may lie below root's home, which the other user may not enter:
    it keeps the one capability of reading through directories."""
    libc = ctypes.CDLL(None, use_errno=True)
    on_linux = sys.platform == "linux"
    if on_linux:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if on_linux:
        keep_reading(libc)


def keep_reading(libc: ctypes.CDLL) -> None:
    """Keeps CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE where a container has only that, across exec. Neither is no error:
    then PostgreSQL itself says which directory it cannot enter."""
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        bit = 1 << capability
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then the high words
        if libc.capset(header, sets) == 0:
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def die_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever was started by nohup or in the background ignores it
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def watch_pipe() -> None:
    """Forks twice, so that PostgreSQL does not find a child it does not know."""
    postgres = os.getpid()
    if (child := os.fork()) != 0:
        os.waitpid(child, 0)
        return
    if os.fork() == 0:
        os.setsid()
        wait_for_end_of_input()
        os.kill(postgres, signal.SIGINT)
    os._exit(0)


def wait_for_end_of_input() -> None:
    while os.read(0, 1024):
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
