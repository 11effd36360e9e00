-- What refuses to write to a log that is moved to another database, or is not complete yet. The triggers that call it
-- are only there while it is fenced (infra/event_log/fence.py): in ordinary life nothing is looked at.
-- For each row, so that a call that is sent again after a lost connection still learns that it was written.
CREATE FUNCTION {schema}.refuse_writes() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('chobo.moves_a_log', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'CH001', MESSAGE = TG_ARGV[0];
END
$$;
