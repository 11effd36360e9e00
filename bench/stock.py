"""The eventsourcing library as it comes: an Application on its own PostgreSQL recorder, called from threads."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict


class Counter(Aggregate):
    def __init__(self) -> None:
        self.total = 0

    @event("Counted")
    def count_up(self, amount: int, note: str) -> None:
        self.total += amount


class Counting(Application[UUID]):
    pass


def stock_events_per_second(conninfo: str, threads: int = 32, seconds: float = 5) -> float:
    """Each thread counts up aggregates of its own, with as many pooled connections as threads."""
    app = Counting(env=environment(conninfo, threads))
    counts = [0] * threads
    stop = time.perf_counter() + seconds

    def work(number: int) -> None:
        counter = Counter()
        app.save(counter)
        while time.perf_counter() < stop:
            counter.count_up(1, "x" * 100)
            app.save(counter)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rate = sum(counts) / (time.perf_counter() - began)
    app.close()
    return rate


def environment(conninfo: str, threads: int) -> dict[str, Any]:
    server = conninfo_to_dict(conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": server.get("dbname", "postgres"),
        "POSTGRES_HOST": server["host"],
        "POSTGRES_PORT": str(server.get("port", "5432")),
        "POSTGRES_USER": server.get("user", "postgres"),
        "POSTGRES_PASSWORD": server.get("password", "none"),
        "POSTGRES_POOL_SIZE": str(threads),
        "POSTGRES_MAX_OVERFLOW": "4",
        "POSTGRES_SCHEMA": "public",
    }
