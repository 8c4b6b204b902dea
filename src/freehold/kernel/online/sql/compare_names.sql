-- What both names of a column hold is the same, or neither goes.
DO $check$
BEGIN
    IF EXISTS (SELECT FROM {{table}} AS t WHERE t.{{new}}::text IS DISTINCT FROM t.{{old}}::text) THEN
        RAISE EXCEPTION 'the column % differs from the one of its older name', {{title}}
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = {{hint}};
    END IF;
END
$check$
