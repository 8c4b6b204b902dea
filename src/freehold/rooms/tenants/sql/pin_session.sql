SELECT
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'iso_8601', true),
    set_config('TimeZone', 'UTC', true),
    set_config('extra_float_digits', '3', true),
    set_config('bytea_output', 'hex', true),
    set_config('client_encoding', 'UTF8', true),
    set_config('row_security', 'off', true),
    set_config('statement_timeout', '0', true),
    set_config('search_path', 'pg_catalog', true)
