DELETE FROM freehold.drill_tick WHERE drill = %(drill)s
