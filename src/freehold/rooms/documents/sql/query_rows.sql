SELECT * FROM {{table}} WHERE {{condition}}
