SELECT number, statement, signature FROM freehold.audit_seal ORDER BY number DESC LIMIT 1
