"""README's quick start, as a newcomer pastes it: its code blocks, in order, in one shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.cli.process import Up, running

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"


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
    script = f"\necho '{mark}'\n".join(blocks()).replace(ADDRESS, up.address)
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


def test_the_quick_start_registers_orders_and_reads_the_order_back(shop):
    registered, _, _, total, placed, read, events = pasted(*shop)
    assert json.loads(registered)["status"] == "ACTIVE"
    order = json.loads(read)["data"]["order"]
    assert json.loads(read)["extensions"]["consistency"]["satisfied"] is True
    assert order["status"] == "PLACED"
    assert order["version"] == json.loads(placed)["version"]
    assert order["total"] == json.loads(total)
    assert order["lines"][0]["quantity"] == 2
    assert "orders.order-placed" in events
