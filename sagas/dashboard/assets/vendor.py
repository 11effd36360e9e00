"""Vendors htmx: `npm pack htmx.org@VERSION`, unpack it, `python -m sagas.dashboard.assets.vendor package/`.

Taken are htmx itself and its extension for server-sent events; nothing is changed but that references to source maps
go. `SHA256SUMS` has the digests of what was written; a test compares them.
"""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from json import loads
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
TAKEN: Final = {"LICENSE": "LICENSE", "dist/htmx.min.js": "htmx.min.js", "dist/ext/hx-sse.min.js": "hx-sse.min.js"}
THEIRS: Final = (*TAKEN.values(), "VERSION")
SOURCE_MAP: Final = re.compile(r"\n?//# sourceMappingURL=\S*\s*$")


def vendor(package: Path) -> None:
    version = loads((package / "package.json").read_text())["version"]
    for source, name in TAKEN.items():
        (HERE / name).write_text(SOURCE_MAP.sub("\n", (package / source).read_text()))
    (HERE / "VERSION").write_text(f"htmx.org {version}\n")
    (HERE / "SHA256SUMS").write_text(sums())


def sums() -> str:
    """As `sha256sum` writes it, of everything that is not ours."""
    return "".join(f"{sha256((HERE / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(THEIRS))


if __name__ == "__main__":
    vendor(Path(sys.argv[1]))
