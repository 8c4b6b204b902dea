SELECT NOT pg_catalog.current_setting('server_version_num')::pg_catalog.int4
    OPERATOR(pg_catalog.<@) {{affected}}::pg_catalog.int4multirange
