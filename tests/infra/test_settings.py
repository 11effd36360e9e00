"""Settings are read in one place; what is wrong with them is said before anything starts."""

from __future__ import annotations

import pytest

from infra.settings import DEFAULT_SECRET, Profile, Settings, SettingsRefused, new_secret, rows

DEVELOPMENT = {"CHOBO_PROFILE": "development"}
SECRETS = (
    "CHOBO_MASTER_KEY",
    "CHOBO_CLAIM_SECRET",
    "CHOBO_CURSOR_SECRET",
    "CHOBO_TOKEN_KEYS",
    "CHOBO_GATEWAY_KEY",
    "CHOBO_GATEWAY_WEBHOOK_SECRETS",
)


def refusal(environment):
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(environment)
    return str(refused.value)


def test_production_is_the_default_and_refuses_default_secrets():
    assert f"production needs secrets of its own: set {', '.join(SECRETS)}" in refusal({})


def test_production_refuses_a_default_secret_that_was_set_by_hand():
    environment = {name: new_secret() for name in SECRETS} | {"CHOBO_CLAIM_SECRET": DEFAULT_SECRET}
    assert "set CHOBO_CLAIM_SECRET (or" in refusal(environment)


def test_production_with_secrets_of_its_own_starts():
    assert Settings.read({name: new_secret() for name in SECRETS}).profile is Profile.PRODUCTION


@pytest.mark.parametrize("given, told", [({}, False), ({"GRAPHIQL": "true"}, True), ({"INTROSPECTION": "true"}, True)])
def test_in_production_the_schema_is_told_only_where_that_was_set(given, told):
    environment = {name: new_secret() for name in SECRETS} | {f"CHOBO_{name}": value for name, value in given.items()}
    assert Settings.read(environment).introspects is told


@pytest.mark.parametrize("given, told", [({}, True), ({"CHOBO_INTROSPECTION": "false"}, False)])
def test_in_development_the_schema_is_told_unless_that_was_refused(given, told):
    assert Settings.read(DEVELOPMENT | given).introspects is told


def test_an_unknown_variable_is_refused_and_the_near_one_named():
    assert refusal(DEVELOPMENT | {"CHOBO_PROT": "1"}) == "CHOBO_PROT is not a setting; did you mean CHOBO_PORT?"


def test_a_malformed_value_is_refused_with_the_value_and_what_is_allowed():
    said = refusal(DEVELOPMENT | {"CHOBO_PORT": "70000"})
    assert said == "CHOBO_PORT=70000 is refused: Input should be less than or equal to 65535"


def test_a_malformed_secret_is_refused_without_showing_it():
    said = refusal(DEVELOPMENT | {"CHOBO_MASTER_KEY": "c2hvcnQ="})
    assert said == "CHOBO_MASTER_KEY is refused: it has 5 bytes, it must have 32"


@pytest.mark.parametrize("given", ["short", f"{'a' * 16},", ",".join(["a" * 16] * 3)])
def test_webhooks_have_one_secret_or_two(given):
    said = refusal(DEVELOPMENT | {"CHOBO_GATEWAY_WEBHOOK_SECRETS": given})
    assert said.startswith("CHOBO_GATEWAY_WEBHOOK_SECRETS is refused: it has ")
    assert "one or two" in said


def test_while_a_webhook_secret_is_rotated_there_are_two():
    settings = Settings.read(DEVELOPMENT | {"CHOBO_GATEWAY_WEBHOOK_SECRETS": f"{'a' * 16}, {'b' * 16}"})
    assert settings.webhook_secrets() == ["a" * 16, "b" * 16]


def test_a_flag_goes_before_the_environment():
    assert Settings.read(DEVELOPMENT | {"CHOBO_PORT": "1"}, port=2, host=None).port == 2


def test_a_context_can_have_a_database_of_its_own():
    settings = Settings.read(DEVELOPMENT | {"CHOBO_DATABASE_URL": "dbname=a", "CHOBO_ORDERS_DATABASE_URL": "dbname=b"})
    assert (settings.database_of("users"), settings.database_of("orders")) == ("dbname=a", "dbname=b")


def test_no_secret_is_shown_in_a_listing_or_a_repr():
    value = new_secret()
    settings = Settings.read(DEVELOPMENT | {"CHOBO_MASTER_KEY": value, "CHOBO_DATABASE_URL": "password=verysecret"})
    shown = f"{list(rows(settings))} {settings!r}"
    assert value not in shown
    assert "verysecret" not in shown


def test_every_setting_says_what_it_means():
    assert all(row.meaning for row in rows(Settings.read(DEVELOPMENT)))
