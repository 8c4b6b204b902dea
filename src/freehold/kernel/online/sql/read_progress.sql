SELECT place, rows, finished_at IS NOT NULL FROM freehold.backfill WHERE name = %(name)s
