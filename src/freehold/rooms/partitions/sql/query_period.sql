SELECT count(*) FROM {{table}} AS t WHERE {{tenant}}t.{{column}} >= {{low}} AND t.{{column}} < {{high}}
