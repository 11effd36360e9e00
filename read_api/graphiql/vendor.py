"""Vendors GraphiQL: `npm pack graphiql@3 react@18 react-dom@18`, unpack each, and
`python -m read_api.graphiql.vendor GRAPHIQL/package REACT/package REACT_DOM/package`.

Version 3 is the last that is one script without workers and needs no `eval`. Changed in its style sheet: the inline
`data:` images become files and the inline fonts go, because the page's policy allows no `data:` (the system's fonts are
used then); and references to source maps go. `SHA256SUMS` has the digests of what was written; a test compares them.
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

HERE: Final = Path(__file__).parent
OURS: Final = frozenset({"__init__.py", "vendor.py", "pages.py", "index.html", "start.js", "page.css", "SHA256SUMS"})
FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}")
IMAGE: Final = re.compile(r"""url\(["']?data:image/png;base64,([^"')]*)["']?\)""")
SOURCE_MAP: Final = re.compile(r"\n?(?:/\*|//)# sourceMappingURL=\S*(?: ?\*/)?\s*$")


def vendor(graphiql: Path, react: Path, react_dom: Path) -> None:
    versions = [loads((package / "package.json").read_text()) for package in (graphiql, react, react_dom)]
    write("VERSION", "".join(f"{each['name']} {each['version']}\n" for each in versions).encode())
    for package in (graphiql, react, react_dom):
        name = loads((package / "package.json").read_text())["name"]
        write(f"LICENSE-{name}", (package / "LICENSE").read_bytes())
    write("react.js", (react / "umd" / "react.production.min.js").read_bytes())
    write("react-dom.js", (react_dom / "umd" / "react-dom.production.min.js").read_bytes())
    write("graphiql.js", without_map((graphiql / "graphiql.min.js").read_text()))
    write("graphiql.css", without_map(with_files(FONT.sub("", (graphiql / "graphiql.min.css").read_text()))))
    write("SHA256SUMS", sums().encode())


def write(name: str, content: bytes) -> None:
    (HERE / name).write_bytes(content)


def without_map(text: str) -> bytes:
    return SOURCE_MAP.sub("\n", text).encode()


def with_files(css: str) -> str:
    numbers = count(1)

    def to_file(match: re.Match[str]) -> str:
        name = f"image-{next(numbers):02}.png"
        write(name, b64decode(match[1]))
        return f"url({name})"

    return IMAGE.sub(to_file, css)


def sums() -> str:
    """As `sha256sum` writes it, of everything that is not ours."""
    files = sorted(file for file in HERE.iterdir() if file.is_file() and file.name not in OURS)
    return "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


if __name__ == "__main__":
    vendor(*map(Path, sys.argv[1:]))
