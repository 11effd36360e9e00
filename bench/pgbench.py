"""The ceiling of every append: pgbench, one event a transaction, into a table with the log's columns and keys."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from infra.embedded import binary

TABLE = """
CREATE TABLE IF NOT EXISTS ceiling (
    originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text NOT NULL, state bytea NOT NULL,
    notification_id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid NOT NULL, recorded_at timestamptz NOT NULL,
    correlation_id text, causation_id uuid, actor text, traceparent text,
    PRIMARY KEY (originator_id, originator_version));
CREATE UNIQUE INDEX IF NOT EXISTS ceiling_position ON ceiling (notification_id)
"""

SCRIPT = """\
INSERT INTO ceiling (originator_id, originator_version, topic, state, event_id, recorded_at, correlation_id,
    causation_id, actor, traceparent)
VALUES (uuidv7(), 1, 'counters.counted', decode(repeat('78', 150), 'hex'), uuidv7(), clock_timestamp(),
    'corr', NULL, 'anonymous', NULL);
"""


def events_per_second(conninfo: str, clients: int = 32, seconds: int = 5) -> float:
    """pgbench -M prepared, the given clients on one thread. Raises subprocess.CalledProcessError."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in TABLE.split(";"):
            connection.execute(statement)
    return calls_per_second(conninfo, SCRIPT, clients, seconds)


def calls_per_second(conninfo: str, sql: str, clients: int, seconds: int) -> float:
    """The same of any script. Raises subprocess.CalledProcessError."""
    server = conninfo_to_dict(conninfo)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.sql"
        script.write_text(f"{sql.rstrip().rstrip(';')};\n")
        command = [binary("pgbench"), "-n", "-M", "prepared", "-c", clients, "-j", 1, "-T", seconds, "-f", script]
        command += ["-h", server["host"], "-U", server.get("user") or "postgres", server.get("dbname") or "postgres"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    assert found, done.stdout
    return float(found[1])
