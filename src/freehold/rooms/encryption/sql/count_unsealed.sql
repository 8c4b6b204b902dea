SELECT count(*) FROM {{table}} WHERE ({{unsealed}}) AND {{owner}}
