CREATE OR REPLACE FUNCTION {{function}}(document jsonb, depth integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = ''
AS {{body}}
