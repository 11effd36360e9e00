-- When the allowance of a principal for a class of routes is whole again. Processes bring what they let through together
-- here a few times a second. Of no worth after a crash, so nothing of it is logged.
CREATE UNLOGGED TABLE projections.rate_limits (
    key     uuid   PRIMARY KEY,     -- a digest: addresses of people are not kept
    full_at bigint NOT NULL,        -- microseconds since 1970, by this server's clock
    taken   bigint NOT NULL         -- by how much the last exchange moved it
) WITH (fillfactor = 50);
