"""The command line's manners: exit codes, `--json`, a quick start."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from domain.actor import Actor, Role
from infra.tokens import SigningKeys, Tokens
from read_api.persisted import opened_list
from tests.infra.cli.process import chobo, lines

ROOT = Path(__file__).parents[3]


def test_settings_lists_every_setting_as_one_json_object_a_line():
    rows = lines(chobo("settings", "--json", CHOBO_PORT="8080"))
    port = next(row for row in rows if row["name"] == "CHOBO_PORT")
    assert port == {
        "name": "CHOBO_PORT",
        "value": "8080",
        "default": "8000",
        "meaning": "port to listen on; 0 takes a free one",
        "secret": False,
    }


def test_a_wrong_setting_is_wrong_usage():
    done = chobo("settings", CHOBO_PROT="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chobo: CHOBO_PROT is not a setting; did you mean CHOBO_PORT?\n"


def test_an_unknown_command_is_wrong_usage():
    assert chobo("upp").returncode == 2


def test_help_names_the_commands_without_importing_the_system():
    done = chobo("--help", PYTHONPROFILEIMPORTTIME="1")
    assert "settings" in done.stdout
    assert "psycopg" not in done.stderr
    assert "strawberry" not in done.stderr


def test_routes_lists_every_route_with_who_may():
    rows = lines(chobo("routes", "--json"))
    place = next(row for row in rows if row["path"] == "/v1/orders" and row["method"] == "POST")
    assert (place["command"], place["scope"], place["key"]) == ("PlaceOrder", "orders:place", "required")


def test_openapi_prints_the_committed_document():
    assert json.loads(chobo("openapi").stdout) == json.loads((ROOT / "docs" / "openapi.json").read_text())


def test_a_token_is_signed_with_the_secrets_of_the_data_directory(tmp_path):
    (row,) = lines(chobo("token", "--service", "relay", "--data", str(tmp_path), "--json"))
    keys = json.loads((tmp_path / "secrets.json").read_text())["token_keys"]
    assert str(Tokens(SigningKeys(keys)).authenticate(row["token"])) == row["actor"] == "service:relay"


def test_a_token_for_a_user_has_the_roles_asked_for(tmp_path):
    user = "0198f0e5-0000-7000-8000-000000000001"
    arguments = ("--user", user, "--role", "staff", "--data", str(tmp_path), "--json")
    (row,) = lines(chobo("token", *arguments))
    keys = json.loads((tmp_path / "secrets.json").read_text())["token_keys"]
    assert Tokens(SigningKeys(keys)).authenticate(row["token"]) == Actor(UUID(user), frozenset({Role.STAFF}))


def test_a_token_with_an_unknown_role_is_wrong_usage(tmp_path):
    done = chobo("token", "--user", "0198f0e5-0000-7000-8000-000000000001", "--role", "king", "--data", str(tmp_path))
    assert done.returncode == 2
    assert "unknown role king" in done.stderr


@pytest.mark.parametrize("command", ["models", "events", "verify log", "parked list", "replay list"])
def test_where_nothing_runs_it_is_said_at_once(command, tmp_path):
    done = chobo(*command.split(), "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"chobo: no Chobo runs on {tmp_path}: start it with `chobo up`")


def test_documents_are_checked_and_signed(tmp_path):
    folder = tmp_path / "front end"
    folder.mkdir()
    (folder / "orders.graphql").write_text("query Orders { orders(first: 5) { nodes { id } } }\n")
    made = tmp_path / "documents.json"
    (row,) = lines(chobo("documents", str(folder), "--out", str(made), "--data", str(tmp_path), "--json"))
    secret = json.loads((tmp_path / "secrets.json").read_text())["cursor_secret"]
    assert list(opened_list(made.read_bytes(), secret)) == [row["sha256Hash"]]


def test_a_document_that_could_never_be_executed_is_not_signed(tmp_path):
    (tmp_path / "bad.graphql").write_text("{ nothing }")
    made = tmp_path / "documents.json"
    done = chobo("documents", str(tmp_path), "--out", str(made), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "bad.graphql: Cannot query field 'nothing' on type 'Query'" in done.stderr
    assert not made.exists()
