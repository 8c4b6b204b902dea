SELECT count(*) FROM {{table}} WHERE {{violation}} IS NOT NULL
