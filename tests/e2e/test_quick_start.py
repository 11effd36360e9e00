"""README's quick start, as a newcomer pastes it: its code blocks, in order, in one shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.cli.process import Up, running

pytestmark = pytest.mark.timeout(300)  # ten blocks, and before them a shop that is set up

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"
WAIT = "wait=5"
"""A newcomer's machine has nothing else to do; one that runs tests has."""


def blocks() -> list[str]:
    quick_start = (ROOT / "README.md").read_text().split("## Quick start")[1].split("\n## ")[0]
    return re.findall(r"```bash\n(.*?)```", quick_start, re.DOTALL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    data = tmp_path_factory.mktemp("quick-start")
    with running(data, "--demo", "--rate", "0.5") as up:
        next(line for line in up.said if line["event"] == "order")
        yield up, data


def pasted(up: Up, data: Path) -> list[str]:
    """What each block printed."""
    mark = "=== next block ==="
    script = f"\necho '{mark}'\n".join(blocks()).replace(ADDRESS, up.address).replace(WAIT, "wait=30")
    shell = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CHOBO_DATA": str(data)},
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    return shell.stdout.split(f"{mark}\n")


@pytest.fixture(scope="module")
def printed(shop):
    names = "registered", "token", "variant", "total", "placed", "read", "events", "explained", "cancelled", "story"
    return dict(zip(names, pasted(*shop), strict=True))


def test_the_quick_start_registers_orders_and_reads_the_order_back(printed):
    assert json.loads(printed["registered"])["status"] == "ACTIVE"
    placed = json.loads(printed["placed"])
    order = json.loads(printed["read"])["data"]["order"]
    assert json.loads(printed["read"])["extensions"]["consistency"]["satisfied"] is True
    assert order["version"] <= placed["version"]  # read when the placing is there; what followed may come later
    assert order["total"] == json.loads(printed["total"])
    assert order["lines"][0]["quantity"] == 2
    assert "orders.order-placed" in printed["events"]
    assert "orders.order-confirmed" in printed["events"]


def test_the_placed_order_is_paid_and_confirmed_and_its_saga_says_so(printed):
    assert json.loads(printed["placed"])["status"] == "CONFIRMED"
    assert re.search(r"Checkout of \S+ ended as DONE", printed["explained"])
    assert "capture payment" in printed["explained"]


def test_the_cancelled_order_gives_back_what_was_paid_and_the_goods(printed):
    assert json.loads(printed["cancelled"])["status"] == "CANCELLED"
    assert re.search(r"Cancellation of \S+ ended as DONE", printed["story"])
    paid = json.loads(printed["total"])["amount"]
    assert re.search(rf"balance: .*\brefunded {paid}\b", printed["story"])
    assert re.search(r"/v1/reservations/\S+/put-back", printed["story"])
