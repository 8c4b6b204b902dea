SELECT count(*) FROM {{table}} WHERE {{column}} IS NOT NULL AND NOT ({{sealed}})
