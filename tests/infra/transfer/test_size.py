"""Logs of any length go through export, import, move and verify in the same memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.long_stock import long_stock
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from tests.conftest import fresh_database
from tests.full import size
from tests.infra.stored import execute

EXPORT = "from infra.transfer.outgoing import export; export(sys.argv[2], 'products', Path(sys.argv[3]), told)"
IMPORT = "from infra.transfer.incoming import take_in; take_in(sys.argv[2], Path(sys.argv[3]), told)"
VERIFY = """
from bench.server import NoKeys; from infra.verify.log import LogCheck
async def check():
    async for finding in LogCheck(sys.argv[2], 'products', NoKeys()).findings(): raise SystemExit(str(finding))
asyncio.run(check())
"""
AROUND = """
import asyncio, resource, sys
from pathlib import Path
import domain.products, bench.server, infra.transfer.incoming, infra.verify.log  # what is loaded is not what grows
def told(done, all): pass
{work}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(work: str, *arguments: str) -> int:
    """Kilobytes of the process that did it."""
    program = AROUND.format(work=work)
    done = subprocess.run(
        [sys.executable, "-c", program, "", *arguments], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.fixture
def databases(postgres: EmbeddedPostgres) -> Iterator[list[str]]:
    with (
        fresh_database(postgres) as short,
        fresh_database(postgres) as long,
        fresh_database(postgres) as one,
        fresh_database(postgres) as other,
    ):
        yield [short, long, one, other]


@pytest.mark.full("log")
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_log(databases: list[str], tmp_path: Path):
    short, long, one, other = databases
    asyncio.run(long_stock(short, 2_000))
    asyncio.run(long_stock(long, size(40_000, 1_000_000)))
    for target in (one, other):
        asyncio.run(migrate(target, ["products"]))
    files = str(tmp_path / "short.jsonl.zst"), str(tmp_path / "long.jsonl")
    small = [peak(EXPORT, short, files[0]), peak(IMPORT, one, files[0]), peak(VERIFY, short)]
    large = [peak(EXPORT, long, files[1]), peak(IMPORT, other, files[1]), peak(VERIFY, long)]
    assert execute(other, "SELECT count(*) FROM products.stored_events") == [(size(40_000, 1_000_000),)]
    assert max(after - before for before, after in zip(small, large, strict=True)) < 40_000, (small, large)
