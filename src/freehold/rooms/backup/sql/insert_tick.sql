INSERT INTO freehold.drill_tick (drill, tick) VALUES (%(drill)s, %(tick)s)
