SELECT leaves FROM freehold.audit_seal WHERE number = %s
