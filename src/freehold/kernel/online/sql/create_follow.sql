CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $freehold$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE {{copy}};
        RETURN NULL;
    END IF;
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        DELETE FROM {{copy}} AS c WHERE {{same}};
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        INSERT INTO {{copy}} ({{columns}}) OVERRIDING SYSTEM VALUE VALUES ({{values}})
        ON CONFLICT ({{key}}) DO UPDATE SET {{set}};
    END IF;
    RETURN NULL;
END
$freehold$
