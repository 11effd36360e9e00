"""The committed files that show our public surfaces are what the code says."""

from __future__ import annotations

import pytest

from infra.contracts import FILES, ROOT, difference


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_the_code_says(name):
    assert difference(name, FILES[name]()) == [], "if that is meant: make contracts, and commit the difference"


def test_a_change_is_shown_as_a_difference():
    committed = (ROOT / "docs/settings.md").read_text()
    assert "+| `CHOBO_NEW` |  | something |" in difference(
        "docs/settings.md", committed + "| `CHOBO_NEW` |  | something |\n"
    )
