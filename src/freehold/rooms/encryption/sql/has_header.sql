octet_length({{column}}) >= {{shortest}} AND substring({{column}} FROM 1 FOR {{length}}) = {{magic}}::bytea
