"""Vendors Swagger UI: `npm pack swagger-ui-dist@VERSION`, unpack it, `python -m commands.docs_page.vendor package/`.

Two things are changed: the style sheet's inline `data:` images become files, because the page's policy allows no
`data:`, and references to source maps go. `SHA256SUMS` has the digests of what was written; a test compares them.
"""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from hashlib import sha256
from itertools import count
from json import loads
from pathlib import Path
from typing import Final
from urllib.parse import unquote

HERE: Final = Path(__file__).parent
OURS: Final = frozenset({"__init__.py", "vendor.py", "index.html", "start.js", "page.css", "icon.svg", "SHA256SUMS"})
DATA: Final = re.compile(
    r"""url\((?P<quote>["']?)data:image/(?P<kind>[a-z]+)(?:\+xml)?(?P<rest>[^,]*),(?P<data>.*?)(?P=quote)\)"""
)
SOURCE_MAP: Final = re.compile(r"\n?(?:/\*|//)# sourceMappingURL=\S*(?: ?\*/)?\s*$")
ENDINGS: Final = {"jpeg": "jpg"}


def vendor(package: Path) -> None:
    version = loads((package / "package.json").read_text())["version"]
    for name in ("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"):
        write(name, (package / name).read_bytes())
    write("VERSION", f"swagger-ui-dist {version}\n".encode())
    write("swagger-ui-bundle.js", without_map((package / "swagger-ui-bundle.js").read_text()))
    write("swagger-ui.css", without_map(with_files((package / "swagger-ui.css").read_text())))
    write("SHA256SUMS", sums().encode())


def write(name: str, content: bytes) -> None:
    (HERE / name).write_bytes(content)


def without_map(text: str) -> bytes:
    return SOURCE_MAP.sub("\n", text).encode()


def with_files(css: str) -> str:
    numbers = count(1)

    def to_file(match: re.Match[str]) -> str:
        name = f"image-{next(numbers):02}.{ENDINGS.get(match['kind'], match['kind'])}"
        write(name, content(match))
        return f"url({name})"

    return DATA.sub(to_file, css)


def content(match: re.Match[str]) -> bytes:
    data = match["data"]
    return b64decode(data) if "base64" in match["rest"] else unquote(data).replace('\\"', '"').encode()


def sums() -> str:
    """As `sha256sum` writes it, of everything that is not ours."""
    files = sorted(file for file in HERE.iterdir() if file.is_file() and file.name not in OURS)
    return "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


if __name__ == "__main__":
    vendor(Path(sys.argv[1]))
