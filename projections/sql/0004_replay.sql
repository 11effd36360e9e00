-- Generations through their lives: BUILDING from the log, READY beside the live one, LIVE, KEPT after it; CANCELLED and
-- DROPPED ones have no tables any more, but their numbers are never given again.

ALTER TABLE projections.generations
    DROP CONSTRAINT generations_status_check,
    ADD CONSTRAINT generations_status_check
        CHECK (status IN ('BUILDING', 'READY', 'LIVE', 'KEPT', 'CANCELLED', 'DROPPED')),
    -- The operation that asked for it; by this id it is switched to, cancelled, dropped.
    ADD COLUMN replay       uuid        NOT NULL DEFAULT uuidv7(),
    -- What is built straight from the log, {context: position}, in `parts` parts; null: followed from the first event on.
    ADD COLUMN ends         jsonb,
    ADD COLUMN parts        int         NOT NULL DEFAULT 1 CHECK (parts BETWEEN 1 AND 64),
    -- Created when the rows are there.
    ADD COLUMN indexes      text[]      NOT NULL DEFAULT '{}',
    -- The moment that was asked for, if it is a model as of a moment: such a one is never followed.
    ADD COLUMN until        text,
    -- Built because table.sql has changed: it becomes what readers see by itself, as soon as it has caught up.
    ADD COLUMN for_shape    boolean     NOT NULL DEFAULT false,
    ADD COLUMN built_at     timestamptz,
    ADD COLUMN live_at      timestamptz,    -- when it last became what readers see
    ADD COLUMN ended_at     timestamptz,    -- when it ceased to be that, or to be at all
    -- Views are about to be pointed here: whoever waits to read their own writes waits for this one too.
    ADD COLUMN switching_at timestamptz,
    -- The last comparison with the live one, and what it found.
    ADD COLUMN compared_at  timestamptz,
    ADD COLUMN compared     jsonb,
    ADD CONSTRAINT generations_replay UNIQUE (replay);

-- One candidate at a time; models as of a moment stand beside it.
CREATE UNIQUE INDEX generations_one_candidate ON projections.generations (model)
    WHERE status IN ('BUILDING', 'READY') AND until IS NULL;
