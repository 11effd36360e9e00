"""What a process can be for. `chobo up` does everything, `chobo serve` and `chobo work` one thing each."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Duty(StrEnum):
    COMMANDS = "commands"
    READS = "reads"
    DASHBOARD = "dashboard"
    RELAY = "relay"
    PROJECTIONS = "projections"
    SAGAS = "sagas"
    TODO = "todo"


SERVING: Final = frozenset({Duty.COMMANDS, Duty.READS, Duty.DASHBOARD})
EVERY: Final = frozenset(Duty)

WRITING: Final = frozenset({Duty.COMMANDS, Duty.DASHBOARD, Duty.SAGAS, Duty.TODO})
"""Who has write loops of its own."""

LOGS: Final = WRITING | {Duty.RELAY, Duty.PROJECTIONS}
"""Who needs the databases of the logs."""

READ_MODELS: Final = WRITING | {Duty.READS, Duty.PROJECTIONS}
"""Who needs the read database: for what is blocked, for rows, checkpoints and to-dos."""
