"""GraphQL over HTTP to the letter: the audit of the npm package graphql-http, whole."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.npm.installed import installed, node
from tests.read_api.conftest import Api
from tests.read_api.served import served


@pytest.mark.requires("node")
@pytest.mark.timeout(240)
async def test_every_check_of_the_audit_passes(api: Api) -> None:
    await asyncio.to_thread(installed)
    async with served(api.app) as address:
        done = await asyncio.to_thread(node, "audit.mjs", f"{address}/graphql")
    assert done.returncode == 0, done.stderr
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    assert [check for check in checks if check["status"] != "ok"] == []
    assert len(checks) == 61
