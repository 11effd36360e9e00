-- What each consumer could not apply. An event that fails parks the sequence of its aggregate: later events of it wait,
-- all others flow on.
CREATE TABLE projections.parked (
    id          uuid        PRIMARY KEY,            -- derived from consumer, context and sequence
    consumer    text        NOT NULL,
    context     text        NOT NULL,
    sequence    uuid        NOT NULL,               -- the aggregate
    slice       smallint    NOT NULL CHECK (slice BETWEEN 0 AND 63),
    position    bigint      NOT NULL,               -- of the event that failed, as the four that follow
    version     bigint      NOT NULL,
    event_id    uuid        NOT NULL,
    event_type  text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    reason      text        NOT NULL,
    fingerprint text        NOT NULL,               -- the same for what has probably the same cause
    waiting     bigint      NOT NULL DEFAULT 0,     -- events of the sequence behind it, up to the checkpoint
    attempts    int         NOT NULL DEFAULT 1,
    parked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (consumer, context, sequence),
    FOREIGN KEY (consumer, context) REFERENCES projections.checkpoints ON DELETE CASCADE
);

CREATE INDEX parked_by_time ON projections.parked (parked_at, id);
CREATE INDEX parked_by_fingerprint ON projections.parked (fingerprint, parked_at, id);

ALTER TABLE projections.slice_checkpoints ADD COLUMN recorded_at timestamptz;   -- as in projections.checkpoints
