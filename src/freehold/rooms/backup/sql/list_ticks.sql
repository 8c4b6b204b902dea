SELECT tick, made_at FROM freehold.drill_tick WHERE drill = %(drill)s ORDER BY tick
