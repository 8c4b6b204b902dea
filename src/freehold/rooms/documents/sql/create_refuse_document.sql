CREATE OR REPLACE FUNCTION freehold.refuse_document_v1(violation text, names text[]) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
-- Called by a CHECK for documents that it refuses: says where and by which keyword, and never what stands there.
BEGIN
    IF current_setting('freehold.counting', true) = 'on' THEN
        RETURN false;
    END IF;
    RAISE EXCEPTION 'a document of %.% in column % violates its schema', names[1], names[2], names[3]
        USING ERRCODE = 'FH050', DETAIL = violation, SCHEMA = names[1], TABLE = names[2], COLUMN = names[3],
            CONSTRAINT = names[4], HINT = 'The detail is a JSON pointer and the keyword that refuses what it points to.';
END
$function$
