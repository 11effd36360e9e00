"""Many orders, customers and payments, made by the database of one of each that was really made by commands."""

from __future__ import annotations

import psycopg

from domain.ids import OrderId, new_id, payment_of

CUSTOMERS = 2_000
PAID = 2_000
"""So many of the newest orders have a payment: more than are ever shown with it."""

# The nth order is n minutes older than the first, of one of the customers, and has three lines instead of one.
STATEMENTS = (
    """
    INSERT INTO reads.users SELECT r.* FROM reads.users t, generate_series(0, %(customers)s - 1) n,
        json_populate_record(t, json_build_object('id', md5('user' || n)::uuid)) r
    WHERE t.id = (SELECT customer_id FROM reads.orders LIMIT 1)
    """,
    """
    INSERT INTO reads.orders SELECT r.* FROM reads.orders t, many, json_populate_record(t, json_build_object(
        'id', many.id, 'customer_id', md5('user' || n %% %(customers)s)::uuid,
        'created_at', t.created_at - n * interval '1 minute',
        'lines', json_build_array(t.lines->0, t.lines->0, t.lines->0))) r
    WHERE t.id = (SELECT id FROM reads.orders LIMIT 1)
    """,
    """
    INSERT INTO reads.payments SELECT r.* FROM reads.payments t, many, json_populate_record(t, json_build_object(
        'id', many.payment, 'order_id', many.id, 'customer_id', md5('user' || n %% %(customers)s)::uuid,
        'created_at', t.created_at - n * interval '1 minute')) r
    WHERE t.id = (SELECT id FROM reads.payments LIMIT 1) AND n <= %(paid)s
    """,
)


def multiplied(conninfo: str, orders: int) -> None:
    """So many more orders; the newest of them have payments."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("CREATE TEMPORARY TABLE many (n int, id uuid, payment uuid)")
        with connection.cursor().copy("COPY many FROM STDIN") as copy:
            for number in range(1, orders + 1):
                id = OrderId(new_id())
                copy.write_row((number, id, payment_of(id)))
        for statement in STATEMENTS:
            connection.execute(statement.encode(), {"customers": CUSTOMERS, "paid": PAID})
        connection.execute("VACUUM ANALYZE")


def function_of(conninfo: str, sql: str) -> str:
    """Puts the statement into a function, whose plan the server keeps; how to call it."""
    body = f"BEGIN RETURN ({sql}); END"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        head = "CREATE OR REPLACE FUNCTION bench_page() RETURNS text LANGUAGE plpgsql STABLE"
        connection.execute(f"{head} AS $body${body}$body$".encode())
    return "SELECT bench_page()"
