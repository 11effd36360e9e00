"""The blocks of a runbook, run in one shell each, as a person pastes them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.infra.cli.process import CHOBO

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


class Runbook:
    """`environment` is what the reader has set; what a block exports is kept for those that follow."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        text = (RUNBOOKS / name).read_text()
        self._blocks: dict[str, str] = dict(re.findall(r"```bash ?([\w-]*)\n(.*?)```", text, re.DOTALL))
        self.environment = os.environ | {"PATH": f"{CHOBO.parent}:{os.environ['PATH']}"} | environment

    @property
    def titles(self) -> list[str]:
        return list(self._blocks)

    def run(self, title: str, **expected: int) -> str:
        """What the block printed. `code`: the exit code it must have."""
        script = f'{self._blocks[title]}\nenv -0 > "$ENVIRONMENT_OF_THE_BLOCK"'
        kept = Path(self.environment["BACKUP"]) / "environment"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment | {"ENVIRONMENT_OF_THE_BLOCK": str(kept)},
            timeout=300,
        )
        assert done.returncode == expected.get("code", 0), f"{title}: {done.stdout}{done.stderr}"
        if done.returncode == 0:
            pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
            self.environment = {name: value for name, _, value in pairs}
        return done.stdout
