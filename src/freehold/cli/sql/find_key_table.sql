SELECT to_regclass('freehold.context_key') IS NOT NULL
