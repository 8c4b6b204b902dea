SELECT count(*) FROM {{table}} WHERE {{version_column}} < {{version}}
