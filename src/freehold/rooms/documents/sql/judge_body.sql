-- NULL where the document satisfies the schema; else the JSON pointer and the keyword that refuses it.
DECLARE
    violation text;
    {{variables}}
BEGIN
    IF depth > {{deepest}} THEN
        RAISE EXCEPTION 'a document is nested deeper than {{deepest}} references of its schema'
            USING ERRCODE = 'FH051', HINT = 'Store a flatter document.';
    END IF;
    <<judged>> BEGIN
    {{statements}}
    NULL;
    END judged;
    RETURN violation;
END
