SELECT count(*) FROM {{table}} WHERE {{into}}::text IS DISTINCT FROM ({{value}})::{{type}}::text
