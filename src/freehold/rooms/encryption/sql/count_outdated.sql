SELECT count(*) FROM {{table}} WHERE {{owner}} AND ({{outdated}})
