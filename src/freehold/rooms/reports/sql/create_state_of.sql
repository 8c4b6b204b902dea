CREATE OR REPLACE FUNCTION {{function}}(OUT as_of timestamp with time zone, OUT now timestamp with time zone)
RETURNS record
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $freehold$
SELECT (SELECT s.as_of FROM {{state}} AS s WHERE s.report = {{report}}), pg_catalog.clock_timestamp()
$freehold$
