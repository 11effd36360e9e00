"""What must hold for every row of the command API, whoever writes it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import SecretStr

from commands.access import SCOPES
from commands.route import CREATED, IGNORED, REQUIRED, Resource, Route
from commands.router import HANDLERS, RAW, RESOURCES, ROUTES, route_table, table
from commands.sagas.handlers import handlers as saga_handlers
from commands.table import Table
from domain.ids import new_id
from sagas.engine import Engine
from sagas.processes import PROCESSES

VERBS_WITH_KEY = {
    "place", "cancel", "return", "ship", "refund", "capture", "void", "reserve", "commit", "release", "receive",
    "adjust", "count", "import", "give-back",
}  # fmt: skip

each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)


@pytest.mark.parametrize("row", [*ROUTES, *RESOURCES], ids=lambda row: row.path)
def test_every_row_has_a_scope_of_the_table(row: Route | Resource):
    assert row.scope in SCOPES


def test_no_scope_is_left_over():
    used = {route.scope for route in ROUTES} | {resource.scope for resource in RESOURCES}
    assert set(SCOPES) - used == set()


@each_route
def test_paths_have_one_form(route: Route):
    assert re.fullmatch(r"/v1/[a-z]+(/[a-z-]+|/\{id\}/[a-z-]+)?", route.path)


def test_every_row_is_found_and_no_two_are_one():
    found = Table(ROUTES, RESOURCES)
    for route in ROUTES:
        assert found.find("POST", route.path.replace("{id}", str(new_id()))).row is route


@each_route
def test_where_money_or_stock_moves_a_key_is_required(route: Route):
    if route.verb in VERBS_WITH_KEY or route.path in {"/v1/orders", "/v1/payments", "/v1/reservations"}:
        assert route.key is REQUIRED


@each_route
def test_answers_with_secrets_have_no_key(route: Route):
    """Nothing secret is stored as a reply, so a replay could not be the same."""
    if route.extra is not None:
        assert route.key is IGNORED


@each_route
def test_a_command_is_handled_by_its_own_context(route: Route):
    decided = HANDLERS | {"sagas": saga_handlers(Engine(PROCESSES))}
    if route.serve is None and route.prepare is None:
        assert route.message in decided[route.context]


@each_route
def test_what_is_made_can_be_looked_at(route: Route):
    if route.answer is CREATED:
        assert route.collection in {resource.collection for resource in RESOURCES}


@each_route
def test_bodies_are_strict_and_passwords_are_never_shown(route: Route):
    config: Any = route.message.model_config
    assert (config["strict"], config["extra"]) == (True, "forbid")
    for name, field in route.message.model_fields.items():
        if "password" in name:
            assert field.annotation is SecretStr


def test_the_whole_is_printed():
    assert len(table()) == len(ROUTES) + len(RESOURCES) + len(RAW)
    assert "| POST | `/v1/users` |" in route_table()
