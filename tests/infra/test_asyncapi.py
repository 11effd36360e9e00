"""The AsyncAPI document says what is published, in the words of the standard."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from starlette.applications import Starlette

from infra.asyncapi import document, route
from infra.event_log.mapper import EventMapper
from tests.golden.corpus import classes_of, contexts, samples_of
from tests.infra.cli.process import chobo
from tests.infra.stored import SameKey

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "tests" / "schemas"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


def official(name: str) -> Any:
    return json.loads(gzip.decompress((SCHEMAS / name).read_bytes()))


def test_the_schemas_it_is_checked_with_are_the_official_ones():
    """As their projects publish them, packed: see tests/schemas/README.md."""
    sums = (line.split() for line in (SCHEMAS / "SHA256SUMS").read_text().splitlines())
    for digest, name in sums:
        assert sha256(gzip.decompress((SCHEMAS / name).read_bytes())).hexdigest() == digest


def test_it_is_valid_by_the_official_schema(described):
    errors = jsonschema_rs.validator_for(official("asyncapi-3.0.0.json.gz")).iter_errors(described)
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


def test_every_event_type_of_every_context_is_a_message_of_its_channel(described):
    for context in contexts():
        channel = described["channels"][context.name]
        assert channel["address"] == f"chobo.{context.name}"
        assert set(channel["messages"]) == {cls.TOPIC for cls in classes_of(context)}


def test_every_reference_leads_somewhere(described):
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for part in value.values() for found in references(part)]
        return [found for part in value for found in references(part)] if isinstance(value, list) else []

    for reference in references(described):
        target = described
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


@pytest.mark.parametrize("context", contexts(), ids=lambda context: context.name)
def test_what_is_stored_of_every_golden_event_is_valid_by_its_payload(described, context):
    mapper = EventMapper(SameKey())
    for sample in samples_of(context.name):
        if sample.erased:
            continue  # such an event is read, never written
        schema = {"$ref": f"#/components/schemas/{sample.topic}", "components": described["components"]}
        errors = jsonschema_rs.validator_for(schema).iter_errors(json.loads(mapper.encode(sample.event)))
        assert [f"{sample.topic} {error.instance_path}: {error.message}" for error in errors] == []


def test_nothing_personal_is_described_in_the_open(described):
    registered = described["components"]["schemas"]["users.user-registered"]
    assert "email" not in registered["properties"]
    assert registered["properties"]["sealed"]["description"] == "holds display_name, email"


def test_chobo_asyncapi_prints_the_committed_document():
    assert json.loads(chobo("asyncapi").stdout) == json.loads((ROOT / "docs" / "asyncapi.json").read_text())


async def test_it_is_served(described):
    transport = httpx.ASGITransport(Starlette(routes=[route()]))
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
        assert (await http.get("/asyncapi.json")).json() == described
