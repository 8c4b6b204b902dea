DO $freehold$
DECLARE
    numbers text := pg_catalog.pg_get_serial_sequence({{table}}, {{was}});
BEGIN
    IF numbers IS NOT NULL THEN
        EXECUTE pg_catalog.format('ALTER SEQUENCE %s OWNED BY {{owner}}', numbers);
    END IF;
END
$freehold$
