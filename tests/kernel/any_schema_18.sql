-- What came with PostgreSQL 16 to 18.
SET search_path = any_one, public;
CREATE TABLE newer (
    room int4range, during daterange, n int CONSTRAINT given NOT NULL CHECK (n > 0) NOT ENFORCED,
    double int GENERATED ALWAYS AS (n * 2) VIRTUAL, PRIMARY KEY (room, during WITHOUT OVERLAPS)
);
CREATE TABLE newest (
    room int4range, during daterange, base_id bigint REFERENCES base NOT ENFORCED,
    FOREIGN KEY (room, PERIOD during) REFERENCES newer (room, PERIOD during)
);
ALTER TABLE newest ADD CONSTRAINT waits NOT NULL base_id NOT VALID;
RESET search_path;
