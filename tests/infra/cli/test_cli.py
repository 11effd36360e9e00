"""The command line's manners: exit codes, `--json`, a quick start."""

from __future__ import annotations

from tests.infra.cli.process import chobo, lines


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
