"""What an attacker injects to be shown rows: by results, errors, notices, exports, counts and writes."""

from __future__ import annotations

from torture.preparations import CONTEXT, Preparations

FILES = ("postgresql.conf", "pg_hba.conf", "global/pg_filenode.map", "base/1/PG_VERSION", "/etc/passwd")
READERS = ("pg_read_file", "pg_read_binary_file", "pg_ls_dir", "lo_import")
SEEN = "seen"
"""The name of a column that counts strangers' rows."""


class Reads(Preparations):
    """Looks at rows that are not his."""

    def read(self) -> str:
        """A look at rows."""
        return self.pick(
            self.select,
            self.select,
            self.select,
            self.by_error,
            self.by_export,
            self.by_cursor,
            self.by_statement,
            self.by_write,
            self.by_intrusion,
            self.by_notice,
            self.by_call,
            self.by_catalog,
            self.by_count,
        )

    def select(self) -> str:
        """A query."""
        table, who = self.relation, self.stranger
        return self.one(
            (
                f"SELECT * FROM {table}",
                f"TABLE {table}",
                f"SELECT mark FROM {table} WHERE true OR mark = '{who}'",
                f"SELECT string_agg(mark, ',') FROM {table}",
                f"SELECT t FROM {table} t WHERE t::text LIKE '%{who}%'",
                f"SELECT row_to_json(t) FROM {table} t",
                f"SELECT mark FROM {table} UNION ALL SELECT mark FROM {self.relation}",
                f"SELECT NULL UNION SELECT mark FROM {table} ORDER BY 1 DESC LIMIT {self.choice.randint(5, 500)}",
                f"SELECT (SELECT max(mark) FROM {table}), (SELECT min(mark) FROM {self.relation})",
                f"SELECT a.mark FROM {table} a RIGHT JOIN {self.relation} b ON a.mark < b.mark LIMIT 50",
                f"SELECT mark FROM {table} WHERE ctid = '({self.choice.randrange(9)},{self.choice.randint(1, 90)})'",
                f"WITH x AS MATERIALIZED (SELECT * FROM {table}) SELECT mark FROM x OFFSET {self.choice.randrange(9)}",
                f"SELECT mark, row_number() OVER (ORDER BY mark DESC) FROM {table} LIMIT 20",
                f"EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM {table} WHERE mark > '{who}'",
                f"SELECT l.mark FROM generate_series(1, 3) n, LATERAL (SELECT mark FROM {table} LIMIT 5 OFFSET n) l",
            )
        )

    def by_error(self) -> str:
        """Rows in the words of an error."""
        length = self.choice.randint(10, 40)
        return self.one(
            (
                f"SELECT (SELECT string_agg(mark, ',') FROM {self.relation})::integer",
                f"SELECT * FROM {self.relation} WHERE mark::integer > {self.stranger}",
                f"SELECT * FROM {self.relation} WHERE 1 / (length(mark) - {length}) > 0 AND mark::xml IS NULL",
                f"SELECT xmlparse(document '<' || max(mark)) FROM {self.relation}",
                f"SELECT to_regclass(max(mark)), (max(mark))::regclass FROM {self.relation}",
            )
        )

    def by_export(self) -> str:
        """Rows by COPY or by a function that runs a query of its own."""
        table = self.relation
        return self.one(
            (
                f"COPY (SELECT * FROM {table}) TO STDOUT",
                f"COPY {table} TO STDOUT WITH (FORMAT {self.one(('csv', 'text'))}, HEADER)",
                f"COPY {table} TO PROGRAM 'cat'",
                f"COPY {table} TO '/tmp/of_{self.choice.randrange(10**6)}'",
                f"SELECT query_to_xml('SELECT * FROM {table}', true, false, '')",
                f"SELECT table_to_xml('{table}', true, false, '')",
                f"SELECT schema_to_xml('{table.split('.')[0]}', true, false, '')",
                "SELECT database_to_xml(true, false, '')",
                f"CREATE TEMP TABLE t{self.choice.randrange(10**6)} ON COMMIT DROP AS TABLE {table}; TABLE {table}",
                f"SELECT ts_stat('SELECT to_tsvector(mark) FROM {table}')",
            )
        )

    def by_cursor(self) -> str:
        """Rows by a cursor, also one that outlives the transaction."""
        kind = self.one(("", "SCROLL ", "BINARY ", "INSENSITIVE "))
        hold = self.one(("", " WITH HOLD"))
        between = self.pick(lambda: "", self.forge, self.become, self.settings)
        name = f"c{self.choice.randrange(10**6)}"
        declare = f"DECLARE {name} {kind}CURSOR{hold} FOR SELECT * FROM {self.relation}"
        return "; ".join(filter(None, (declare, between, f"FETCH ALL FROM {name}")))

    def by_statement(self) -> str:
        """A statement planned under one context and run under another."""
        name = f"p{self.choice.randrange(10**6)}"
        between = self.pick(self.forge, self.become, self.settings, self.savepoint_game)
        return f"PREPARE {name} AS SELECT * FROM {self.relation}; EXECUTE {name}; {between}; EXECUTE {name}"

    def by_write(self) -> str:
        """Rows in what a write gives back, or taken over."""
        table, own, who = self.one(("estate.note", "estate.reply")), self.target.own, self.stranger
        note = self.choice.randint(1, 4)
        columns = "tenant_id, id, mark" if table == "estate.note" else "tenant_id, id, note_id, mark"
        values = f"{who}, {note}, 'x'" if table == "estate.note" else f"{own}, {self.choice.randint(9, 99)}, {who}, 'x'"
        matched = "WHEN MATCHED THEN UPDATE SET mark = s.mark"
        strength = self.one(("UPDATE", "SHARE", "KEY SHARE", "NO KEY UPDATE"))
        return self.one(
            (
                f"UPDATE {table} SET mark = mark RETURNING *",
                f"UPDATE {table} SET tenant_id = {own}, id = id + {who} RETURNING mark",
                f"UPDATE {table} SET tenant_id = {who} RETURNING mark",
                f"UPDATE {table} t SET mark = t.mark FROM {self.relation} o RETURNING o.*",
                f"DELETE FROM {table} USING {self.relation} o RETURNING o.*",
                f"DELETE FROM {table} WHERE tenant_id = {who} RETURNING *",
                f"INSERT INTO {table} ({columns}) VALUES ({values})"
                f" ON CONFLICT DO {self.one(('NOTHING', 'NOTHING RETURNING *'))}",
                f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT (tenant_id, id)"
                f" DO UPDATE SET mark = {table.split('.')[1]}.mark || '' RETURNING *",
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} RETURNING mark",
                f"MERGE INTO {table} t USING {self.relation} s ON t.mark = s.mark {matched}",
                f"SELECT * FROM {table} WHERE tenant_id = {who} FOR {strength}",
                f"TRUNCATE {table} CASCADE",
                f"WITH w AS (DELETE FROM {table} RETURNING *) SELECT * FROM w",
            )
        )

    def by_intrusion(self) -> str:
        """A row in a stranger's name, to stay."""
        new, who = self.choice.randint(9, 10**6), self.stranger
        return self.one(
            (
                f"INSERT INTO estate.note VALUES ({who}, {new}, 'x{new}'); COMMIT",
                f"INSERT INTO estate.reply VALUES ({who}, {new}, 1, 'x{new}'); COMMIT",
                f"UPDATE estate.note SET tenant_id = {who}, id = {new} + id, mark = 'x' || mark; COMMIT",
                f"COPY estate.note FROM STDIN; INSERT INTO estate.note SELECT {who}, {new}, 'x{new}'; COMMIT",
                f"INSERT INTO estate.house VALUES ({new}, 'x'); COMMIT",
                f"DELETE FROM estate.note WHERE tenant_id = {who}; COMMIT",
            )
        )

    def by_notice(self) -> str:
        """Rows in the notices of a block."""
        change = self.pick(lambda: "NULL", lambda: f"PERFORM set_config('{CONTEXT}', {self._mutated()}, true)")
        return (
            f"DO $$DECLARE r record; BEGIN {change}; FOR r IN SELECT * FROM {self.relation} LOOP"
            f" RAISE {self.one(('NOTICE', 'WARNING', 'INFO'))} '%', r; END LOOP; END$$"
        )

    def by_call(self) -> str:
        """Whatever functions there are to call."""
        return self.pick(
            lambda: f"SELECT * FROM {self._call(self.one(self.target.functions))}",
            lambda: f"SELECT {self._call(self.one(self.target.functions))}",
            lambda: f"SELECT {self.one(READERS)}('{self.one(FILES)}')",
            lambda: f"SELECT * FROM dblink('dbname=' || current_database(), 'TABLE {self.relation}') AS t(a text)",
            lambda: f"LOAD '{self.one(('auto_explain', 'dblink', 'plpgsql', '$libdir/plugins/x'))}'",
            lambda: "SELECT * FROM pg_logical_slot_peek_changes('x', NULL, NULL)",
            lambda: f"SELECT lo_get({self.choice.randrange(9999)})",
            lambda: "SELECT * FROM freehold.context_key",
        )

    def by_catalog(self) -> str:
        """Rows in what the server keeps about rows."""
        column = self.one(("query", "query, state", "*"))
        view = self.one(("cursors", "prepared_statements", "prepared_xacts", "locks", "settings"))
        return self.one(
            (
                f"SELECT * FROM pg_stats WHERE tablename <> '{self.stranger}' AND schemaname = 'estate'",
                f"SELECT stavalues{self.choice.randint(1, 5)}::text FROM pg_statistic",
                "SELECT * FROM pg_statistic_ext_data",
                f"SELECT {column} FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
                "SELECT rolname, rolpassword FROM pg_authid",
                "SELECT * FROM pg_stat_statements",
                f"SELECT * FROM pg_{view}",
                f"ANALYZE VERBOSE {self.relation}",
            )
        )

    def by_count(self) -> str:
        """How many rows strangers have."""
        condition = self.one((f"tenant_id <> {self.target.own}", f"tenant_id = {self.stranger}"))
        return f"SELECT count(*) AS {SEEN} FROM {self.one(('estate.note', 'estate.reply'))} WHERE {condition}"

    def _call(self, function: str) -> str:
        """A function with arguments that fit its types."""
        name, _, types = function.rstrip(")").partition("(")
        given = [self._argument(kind.strip()) for kind in types.split(",") if kind.strip()]
        return f"{name}({', '.join(given)})"

    def _argument(self, kind: str) -> str:
        if kind in ("bigint", "integer", "smallint", "numeric"):
            return str(self.stranger)
        text = self.one((f"'{self.stranger}'", "'x'", "NULL", f"'{self.target.key_id}'"))
        return f"{text}::{kind}" if kind in ("text", "bytea", "name") else f"NULL::{kind}"
