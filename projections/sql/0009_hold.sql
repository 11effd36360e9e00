-- Holds a checkpoint until the transaction ends, and tells where it is then and which of these sequences are parked: what
-- a consumer must know before it applies a batch, in one call. Nothing is told where there is no checkpoint.
--
-- The function is volatile, so that each of its statements has a snapshot of its own: checkpoint and parked sequences are
-- seen as they are once they are held, and not as they were when the wait for it began.
CREATE FUNCTION projections.hold(
    of_consumer text,
    of_context  text,
    whole       boolean,        -- against everybody: the floor is to be moved; else only against who would do that
    missing     smallint[],     -- slices that may have no row yet, without which there would be nothing to hold
    held        smallint[],     -- slices to be held, against everybody
    sequences   uuid[]
) RETURNS TABLE (incarnation uuid, floor bigint, slices json, parked uuid[])
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF whole THEN
        PERFORM FROM projections.checkpoints c WHERE (c.consumer, c.context) = (of_consumer, of_context) FOR UPDATE;
    ELSE
        PERFORM FROM projections.checkpoints c WHERE (c.consumer, c.context) = (of_consumer, of_context) FOR KEY SHARE;
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- In order of slice, so that no two workers wait for each other.
    IF cardinality(missing) > 0 THEN
        INSERT INTO projections.slice_checkpoints (consumer, context, slice, position)
        SELECT of_consumer, of_context, m.slice, 0 FROM unnest(missing) AS m (slice) ORDER BY m.slice
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(held) > 0 THEN
        PERFORM FROM projections.slice_checkpoints s
        WHERE (s.consumer, s.context) = (of_consumer, of_context) AND s.slice = ANY (held)
        ORDER BY s.slice FOR UPDATE;
    END IF;
    RETURN QUERY
        SELECT c.incarnation, c.floor, coalesce(
            (SELECT json_object_agg(s.slice, s.position) FROM projections.slice_checkpoints s
              WHERE (s.consumer, s.context) = (of_consumer, of_context)), '{}'),
            ARRAY (SELECT p.sequence FROM projections.parked p
                   WHERE (p.consumer, p.context) = (of_consumer, of_context) AND p.sequence = ANY (sequences))
        FROM projections.checkpoints c WHERE (c.consumer, c.context) = (of_consumer, of_context);
END;
$$;
