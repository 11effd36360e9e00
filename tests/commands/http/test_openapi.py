"""The document says what the app does, and is OpenAPI 3.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import validator_for

from commands.openapi import document
from commands.pages import errors_markdown
from commands.router import RESOURCES, ROUTES
from tests.commands.http import shop
from tests.commands.http.shop import FakeLoop, client

made = document(shop.ROUTES, shop.RESOURCES)
whole = document(ROUTES, RESOURCES)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (target for key, target in value.items() if key == "$ref")
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("spec", [made, whole])
def test_every_reference_leads_somewhere(spec: dict[str, Any]):
    for reference in set(references(spec)):
        value = spec
        for step in reference.removeprefix("#/").split("/"):
            value = value[step]


def test_operation_ids_are_unique():
    ids = [operation["operationId"] for path in whole["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("spec", [made, whole])
def test_schemas_are_json_schemas(spec: dict[str, Any]):
    for name, schema in spec["components"]["schemas"].items():
        validator_for({**schema, "components": spec["components"]}), name


def test_a_route_shows_its_body_headers_scope_and_answers():
    place = made["paths"]["/v1/stalls"]["post"]
    key = next(p for p in place["parameters"] if p["name"] == "Idempotency-Key")
    assert key["required"]
    assert place["security"] == [{"bearer": ["orders:place"]}]
    assert place["summary"] == "Opens a stall."
    assert place["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/OpenStall")
    assert "Location" in place["responses"]["201"]["headers"]
    assert {"400", "401", "403", "404", "409", "412", "413", "415", "422", "503"} <= place["responses"].keys()
    rename = made["paths"]["/v1/stalls/{id}/rename"]["post"]
    assert "428" in rename["responses"]
    assert next(p for p in rename["parameters"] if p["name"] == "If-Match")["required"]
    assert made["paths"]["/v1/questions"]["post"]["security"] == [{"bearer": ["quotes:ask"]}, {}]


def test_bodies_are_described_as_they_are_read():
    schema = made["components"]["schemas"]["OpenStall"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name"]


async def test_answers_and_problems_are_as_described(loop: FakeLoop):
    async with client(loop) as c:
        spec = (await c.get("/openapi.json")).json()
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={"idempotency-key": "k"})
        problem = await c.post("/v1/stalls", json={"name": "x", "y": 1}, headers={"idempotency-key": "k"})
        state = await c.get(answer.json()["links"]["self"])
    assert spec["paths"] == json.loads(json.dumps(made["paths"]))
    for name, body in (("Answer", answer), ("Problem", problem), ("State", state)):
        validator_for({**spec["components"]["schemas"][name], "components": spec["components"]}).validate(body.json())


async def test_every_code_has_a_page_and_a_line(loop: FakeLoop):
    async with client(loop, None) as c:
        listed = (await c.get("/problems")).text
        for status in (400, 404, 409, 422, 503):
            page = await c.get(
                made["components"]["responses"][str(status)]["content"]["application/problem+json"]["example"]["type"]
            )
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "IDEMPOTENCY_KEY_REUSED" in listed
    assert "| `IDEMPOTENCY_KEY_REUSED` | 422 |" in errors_markdown()


async def test_the_public_keys_are_served(loop: FakeLoop):
    async with client(loop, None) as c:
        assert (await c.get("/.well-known/jwks.json")).json() == {"keys": []}
