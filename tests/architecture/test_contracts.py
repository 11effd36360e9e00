"""The committed files that show our public surfaces are what the code says."""

from __future__ import annotations

import subprocess
import sys

from infra.contracts import ROOT, difference


def test_the_committed_files_are_what_the_code_says():
    """In a process of its own: other tests register events and refusals that are none of ours."""
    command = [sys.executable, "-m", "infra.contracts", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"if that is meant: make contracts, and commit the difference\n{done.stdout}"


def test_a_change_is_shown_as_a_difference():
    committed = (ROOT / "docs/settings.md").read_text()
    assert "+| `CHOBO_NEW` |  | something |" in difference(
        "docs/settings.md", committed + "| `CHOBO_NEW` |  | something |\n"
    )
