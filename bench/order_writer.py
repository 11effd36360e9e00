"""python -m bench.order_writer CONNINFO: appends the events staged in public.staged to the log of orders.

By the log's own function, so many events in a call, one call after another; others are notified as a write loop does.
"""

from __future__ import annotations

import sys
import time

import psycopg

from infra.event_log.wakeups import DEBOUNCE, NOTIFY

CALL = 64  # events

APPEND = """
SELECT orders.append('{}', '{}', '{}', array_agg(1), array_agg(originator_id ORDER BY n),
    array_agg(originator_version ORDER BY n), array_agg(topic ORDER BY n), array_agg(state ORDER BY n),
    array_agg(event_id ORDER BY n), array_agg(correlation_id ORDER BY n), array_agg(causation_id ORDER BY n),
    array_agg(actor ORDER BY n), array_agg(traceparent ORDER BY n), '{}', '{}', '{}', '{}', '{}', '{}', false)
FROM public.staged WHERE n > %s AND n <= %s
"""


def main(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        (last,) = connection.execute("SELECT max(n) FROM public.staged").fetchone() or (0,)
        notified = 0.0
        for written in range(0, last, CALL):
            connection.execute(APPEND, [written, written + CALL])
            if (now := time.monotonic()) > notified + DEBOUNCE:
                connection.execute(NOTIFY, ["chobo_orders", str(min(written + CALL, last))])
                notified = now
        connection.execute(NOTIFY, ["chobo_orders", str(last)])


if __name__ == "__main__":
    main(sys.argv[1])
