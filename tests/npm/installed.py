"""The npm packages of `package.json` here, in exactly the versions of its lock."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FILES: Final = ("package.json", "package-lock.json")


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chobo"


@cache
def installed() -> Path:
    """A directory with `node_modules`, made once for each lock. Raises subprocess.CalledProcessError."""
    digest = sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    made = cache_directory() / f"npm-{digest}"
    if not made.exists():
        install(made)
    return made


def install(made: Path) -> None:
    """Somebody else may do the same at the same time: whoever is first is right."""
    beside = made.with_name(f"{made.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    for name in FILES:
        shutil.copy(HERE / name, beside)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=beside, check=True)
    try:
        beside.rename(made)
    except OSError:
        shutil.rmtree(beside)


def node(script: str, *arguments: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    """Runs a module of this directory where it finds the packages."""
    copied = Path(shutil.copy(HERE / script, installed() / script))
    command = ["node", str(copied), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
