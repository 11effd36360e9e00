"""python -m bench NAME [--json]: one benchmark; without a name all of them, one after another."""

from __future__ import annotations

import argparse
import importlib

NAMES = [
    "append",
    "load",
    "hot",
    "command",
    "visible",
    "checkout",
    "relay",
    "project",
    "replay",
    "memory",
    "graphql",
    "dashboard",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*NAMES, []], help="which (all of them without a name)")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout; this is the only form there is")
    for name in parser.parse_args().name or NAMES:
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
