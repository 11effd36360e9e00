"""What a process can be for. `chobo up` does everything, `chobo serve` and `chobo work` one thing each."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Duty(StrEnum):
    COMMANDS = "commands"
    READS = "reads"
    RELAY = "relay"
    PROJECTIONS = "projections"
    TODO = "todo"


SERVING: Final = frozenset({Duty.COMMANDS, Duty.READS})
EVERY: Final = frozenset(Duty)

LOGS: Final = frozenset({Duty.COMMANDS, Duty.RELAY, Duty.PROJECTIONS, Duty.TODO})
"""Who needs the databases of the logs."""

READ_MODELS: Final = frozenset({Duty.COMMANDS, Duty.READS, Duty.PROJECTIONS, Duty.TODO})
"""Who needs the read database: for what is blocked, for rows, checkpoints and to-dos."""
