-- How far each consumer was behind its log when a worker last measured it. Who reads has no access to the logs.
CREATE TABLE projections.lag (
    consumer    text        NOT NULL,
    context     text        NOT NULL,
    events      bigint      NOT NULL,
    since       timestamptz,            -- when the oldest of them was recorded
    slices      jsonb       NOT NULL,   -- {slice: events}
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, context),
    FOREIGN KEY (consumer, context) REFERENCES projections.checkpoints ON DELETE CASCADE
);
