INSERT INTO freehold.audit_seal (number, statement, signature, leaves) VALUES (%s, %s, %s, %s)
