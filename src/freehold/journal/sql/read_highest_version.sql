SELECT coalesce(max(version), 0) FROM freehold.journal_version
