-- The read database's own books: which generations of read models there are, and where each consumer stands.

CREATE TABLE projections.generations (
    model       text        NOT NULL,
    generation  int         NOT NULL CHECK (generation > 0),
    status      text        NOT NULL CHECK (status IN ('BUILDING', 'LIVE', 'KEPT')),
    shape       bytea       NOT NULL,   -- SHA-256 of the table.sql it was made from
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (model, generation)
);

CREATE UNIQUE INDEX generations_one_live ON projections.generations (model) WHERE status = 'LIVE';

-- Every slice of the context is done up to floor; some may be ahead, in slice_checkpoints.
-- status, reason and head tell operators how the consumer fares; nothing depends on them.
CREATE TABLE projections.checkpoints (
    consumer    text        NOT NULL,   -- orders@1
    context     text        NOT NULL,
    incarnation uuid        NOT NULL,
    floor       bigint      NOT NULL DEFAULT 0,
    head        bigint      NOT NULL DEFAULT 0,
    recorded_at timestamptz,            -- when the last applied event was recorded
    status      text        NOT NULL DEFAULT 'RUNNING',
    reason      text,
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, context)
) WITH (fillfactor = 50);               -- one hot row per consumer: keep its updates on the page

CREATE TABLE projections.slice_checkpoints (
    consumer    text        NOT NULL,
    context     text        NOT NULL,
    slice       smallint    NOT NULL CHECK (slice BETWEEN 0 AND 63),
    position    bigint      NOT NULL,
    PRIMARY KEY (consumer, context, slice),
    FOREIGN KEY (consumer, context) REFERENCES projections.checkpoints ON DELETE CASCADE
);
