-- What changes places was kept in step until this moment, or the older column stays.
DO $check$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS t
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.tgrelid
        WHERE t.tgrelid = {{table}}::regclass AND t.tgname = {{trigger}}
            AND t.tgenabled IN ('O', 'A') AND a.attname = {{column}} AND NOT a.attisdropped
            AND pg_catalog.format_type(a.atttypid, a.atttypmod) = {{type}}
    ) THEN
        RAISE EXCEPTION '% was not kept in step: its trigger or the column beside it was changed by hand', {{title}}
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Apply again: it is begun anew.';
    END IF;
END
$check$
