SELECT to_regclass('freehold.journal_version') IS NOT NULL
