"""python -m bench.http_load ADDRESS PATHS TOKEN BODY CLIENTS SECONDS: POSTs as fast as they are answered.

PATHS are separated by commas; the nth client sends to the nth. Each keeps one connection and sends a fresh
Idempotency-Key every time. Prints JSON: requests a second, p50, p99 and maximum in ms, and how many were not 2xx.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from uuid import uuid4

import uvloop

from bench.report import percentile


@dataclass(slots=True)
class Load:
    address: str
    paths: list[str]
    token: str
    body: bytes
    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    async def client(self, number: int, until: float) -> None:
        path = self.paths[number % len(self.paths)]
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        while (began := time.perf_counter()) < until:
            writer.write(self.request(host, path))
            status = await answered(reader)
            self.latencies.append(time.perf_counter() - began)
            self.failed += not 200 <= status < 300
        writer.close()
        await writer.wait_closed()

    def request(self, host: str, path: str) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nIdempotency-Key: {uuid4()}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


async def answered(reader: asyncio.StreamReader) -> int:
    """Reads one response whole; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head[9:12])


async def main(load: Load, clients: int, seconds: float) -> None:
    began = time.perf_counter()
    await asyncio.gather(*(load.client(number, began + seconds) for number in range(clients)))
    took = time.perf_counter() - began
    p50, p99 = percentile(load.latencies, 0.5) * 1e3, percentile(load.latencies, 0.99) * 1e3
    met = {"rate": len(load.latencies) / took, "p50": p50, "p99": p99, "max": max(load.latencies) * 1e3}
    print(json.dumps(met | {"failed": load.failed}))


if __name__ == "__main__":
    address, paths, token, body, clients, seconds = sys.argv[1:]
    uvloop.run(main(Load(address, paths.split(","), token, body.encode()), int(clients), float(seconds)))
