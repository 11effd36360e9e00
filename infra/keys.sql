-- The keys that personal fields are sealed under, one for each user, themselves wrapped by the master key.
-- A destroyed key leaves its row, so that "destroyed" can be told from "never heard of".
CREATE SCHEMA IF NOT EXISTS users;

CREATE TABLE IF NOT EXISTS users.keys (
    user_id      uuid PRIMARY KEY,
    wrapped      bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),    -- or when it was last asked for
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
