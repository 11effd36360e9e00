-- How far the relay has published this log to its topic, with the last position of each of the 64 slices up to there.
-- One row. Moved by compare-and-set after the broker has acknowledged; a new incarnation begins again at 0.
CREATE TABLE {schema}.relay (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    incarnation uuid NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    lasts bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[64]) CHECK (cardinality(lasts) = 64),
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO {schema}.relay (incarnation) SELECT id FROM {schema}.incarnation ORDER BY number DESC LIMIT 1;
