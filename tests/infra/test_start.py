"""What a process that starts does not wait for."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, sys
import infra.cli.process
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_graphql_and_kafka_are_imported_only_by_who_has_to_do_with_them() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert not {"aiokafka", "graphql", "read_api", "strawberry"} & set(json.loads(done.stdout))
