"""What an attacker injects first: something that should widen his view."""

from __future__ import annotations

import uuid

from freehold.runtime.context import Backend, Context, sign
from freehold.runtime.keys import Key
from torture.draw import Draw

HOUR = 3600.0
CONTEXT = "freehold.context"
OTHER_SETTINGS = ("app.tenant", "app.tenant_id", "app.current_tenant", "rls.tenant_id", "freehold.tenant", "my.tenant")


class Preparations(Draw):
    """Contexts, settings, roles, and the ends of transactions."""

    def prepare(self) -> str:
        """Something that should widen what he sees."""
        return self.pick(
            lambda: "",
            self.forge,
            self.forge,
            self.settings,
            self.become,
            self.become,
            self.leave_transaction,
            self.savepoint_game,
            self.weaken,
            self.replace,
            self.steal,
            self.caught,
        )

    def forge(self) -> str:
        """Bind a context of his own making."""
        value = self.pick(self._mutated, self._mutated, self._signed, self._nonsense)
        unsigned = self.choice.random() < 0.3
        return self._set(self.one(OTHER_SETTINGS), f"'{self.stranger}'") if unsigned else self._set(CONTEXT, value)

    def settings(self) -> str:
        """Change a setting that could matter."""
        return self.pick(
            lambda: "SET row_security = off",
            lambda: "SET session_replication_role = replica",
            lambda: f"SET search_path = pg_temp, {self.one(('public', 'estate', 'freehold', 'pg_catalog'))}",
            lambda: (
                f"SET {self.one(('debug_print_plan', 'debug_print_parse', 'debug_print_rewritten'))} = on;"
                f" SET client_min_messages = {self.one(('log', 'debug1', 'debug5'))}"
            ),
            lambda: f"SET {self.one(('force_parallel_mode', 'debug_parallel_query'))} = on",
            lambda: f"SET plan_cache_mode = {self.one(('force_generic_plan', 'force_custom_plan'))}",
            lambda: f"SET {self.one(('enable_seqscan', 'enable_indexscan', 'constraint_exclusion'))} = off",
            lambda: f"RESET {self.one(('ALL', CONTEXT, 'ROLE', 'SESSION AUTHORIZATION', 'search_path'))}",
            lambda: f"UPDATE pg_settings SET setting = '{self.stranger}' WHERE name = 'search_path'",
        )

    def become(self) -> str:
        """Become somebody else."""
        role = self.one(self.target.roles)
        return self.one(
            (
                f'SET ROLE "{role}"',
                f'SET LOCAL ROLE "{role}"',
                f"SELECT set_config('role', '{role}', {self.one(('true', 'false'))})",
                f'SET SESSION AUTHORIZATION "{role}"',
                f"SELECT set_config('session_authorization', '{role}', false)",
                f'GRANT "{role}" TO current_user',
                f'ALTER ROLE current_user BYPASSRLS; SET ROLE "{role}"',
                f'CREATE ROLE "x{self.choice.randrange(10**6)}" IN ROLE "{role}"',
            )
        )

    def leave_transaction(self) -> str:
        """End the transaction and go on in another."""
        end = self.one(
            ("COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "END", "ABORT", "PREPARE TRANSACTION 'x'")
        )
        level = self.one(("", " ISOLATION LEVEL SERIALIZABLE", " READ ONLY", " ISOLATION LEVEL REPEATABLE READ"))
        after = self.pick(lambda: "", self.forge, self.settings, lambda: "DISCARD ALL")
        saved = "SELECT set_config('x.saved', current_setting('freehold.context'), false); "
        back = f"SELECT set_config('{CONTEXT}', current_setting('x.saved'), true)"
        return "; ".join(filter(None, (saved + end, after, f"BEGIN{level}", self.one(("", back)))))

    def savepoint_game(self) -> str:
        """Set and undo, so that what is bound and what is believed could differ."""
        first, second = self.pick(self.forge, self.settings), self.pick(self.forge, self.become, lambda: "")
        end = self.one(("ROLLBACK TO a", "RELEASE a", "ROLLBACK TO a; RELEASE a"))
        return "; ".join(filter(None, ("SAVEPOINT a", first, "SAVEPOINT b", second, end)))

    def weaken(self) -> str:
        """Take a guard away."""
        table = self.relation
        return self.one(
            (
                f"ALTER TABLE {table} {self.one(('DISABLE', 'NO FORCE'))} ROW LEVEL SECURITY",
                f"CREATE POLICY mine ON {table} USING (true)",
                f"DROP POLICY IF EXISTS tenant ON {table}",
                f"ALTER TABLE {table} OWNER TO current_user",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"CREATE RULE mine AS ON UPDATE TO {table} DO ALSO SELECT * FROM {table}",
                f"GRANT ALL ON {table} TO PUBLIC",
                "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
                f"CREATE TEMP VIEW v{self.choice.randrange(99)} WITH (security_invoker = false) AS TABLE {table}",
                "DELETE FROM freehold.context_key",
                "SELECT freehold.add_context_key_v1('mine', decode(repeat('00', 64), 'hex'))",
            )
        )

    def replace(self) -> str:
        """Put something of his own where the guard's function, table or operator is looked for."""
        body = f"RETURNS bigint LANGUAGE sql AS 'SELECT {self.stranger}::bigint'"
        key = f"AS SELECT '{self.target.key_id}'::text AS key_id, ''::bytea AS inner_pad, ''::bytea AS outer_pad"
        return self.one(
            (
                f"CREATE OR REPLACE FUNCTION freehold.tenant_v1() {body}",
                f"CREATE FUNCTION pg_temp.tenant_v1() {body}; SET search_path = pg_temp, freehold",
                "CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
                f"CREATE TEMP TABLE context_key {key}, NULL::timestamptz AS retired_at; SET search_path = pg_temp",
                f"CREATE SCHEMA freehold2; CREATE FUNCTION freehold2.tenant_v1() {body}",
                "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS"
                " $f$BEGIN RAISE NOTICE '%', $1; RETURN true; END$f$;"
                f" SELECT * FROM {self.relation} WHERE pg_temp.leak(mark)",
                "CREATE FUNCTION pg_temp.less(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
                " $f$BEGIN RAISE NOTICE '%', $1; RETURN false; END$f$;"
                " CREATE OPERATOR pg_temp.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.less);"
                f" SELECT * FROM {self.relation} WHERE mark OPERATOR(pg_temp.<<<) 'x'",
            )
        )

    def steal(self) -> str:
        """Bind a context found where other sessions can be looked at."""
        place, column = self.choice.choice(
            (
                ("pg_stat_activity", "query"),
                ("pg_stat_activity", "query"),
                ("pg_prepared_statements", "statement"),
                ("pg_cursors", "statement"),
                ("pg_settings", "setting"),
                ("pg_file_settings", "setting"),
                ("pg_stat_statements", "query"),
            )
        )
        pattern = "[0-9a-f]{64}[|]v1[|][A-Za-z0-9+/=|_-]+"
        find = f"(SELECT substring({column} FROM '{pattern}') FROM {place} WHERE {column} ~ '{pattern}' LIMIT 1)"
        found = f"coalesce({find}, current_setting('{CONTEXT}'))"
        return f"SELECT set_config('{CONTEXT}', {found}, {self.one(('true', 'false'))})"

    def caught(self) -> str:
        """A preparation whose failure is swallowed."""
        inner = self.pick(self.forge, self.become, self.weaken, self.settings)
        return f"DO $d$BEGIN EXECUTE $e${inner}$e$; EXCEPTION WHEN OTHERS THEN NULL; END$d$"

    def _set(self, name: str, value: str) -> str:
        local = self.one(("true", "true", "false"))
        ways = [f"SELECT set_config('{name}', {value}, {local})"]
        if value.startswith("'"):
            ways += [f"SET LOCAL {name} = {value}", f"SET {name} TO {value}"]
        return self.one(ways)

    def _mutated(self) -> str:
        """The current context, with a part of it exchanged, as an expression."""
        now, who = f"current_setting('{CONTEXT}', true)", self.stranger
        encoded = f"encode('{who}', 'base64')"
        return self.one(
            (
                f"regexp_replace({now}, '[^|]*$', {encoded})",
                f"{now} || {encoded}",
                f"{now} || '|' || {encoded}",
                f"replace({now}, split_part({now}, '|', {self.choice.randint(1, 9)}), {encoded})",
                f"overlay({now} PLACING '{self.choice.randrange(10**6)}' FROM {self.choice.randint(1, 200)})",
                f"upper({now})",
                f"reverse({now})",
                f"repeat('0', 64) || substr({now}, 65)",
                f"encode(sha256(convert_to(substr({now}, 66), 'UTF8')), 'hex') || substr({now}, 65)",
                f"substr({now}, 1, {self.choice.randint(1, 200)})",
                f"{now} || chr({self.choice.randint(1, 300)})",
                f"replace({now}, '|v1|', '|v{self.choice.randint(0, 9)}|')",
            )
        )

    def _signed(self) -> str:
        """A whole context for a stranger, signed with a key that is not the database's."""
        secret = self.choice.choice((b"", bytes(32), self.choice.randbytes(32)))
        key = Key(self.one((self.target.key_id, "", "mine", "v1")), secret or bytes(64))
        context = Context(str(self.stranger), "mallory", str(uuid.UUID(int=self.choice.getrandbits(128))))
        return "'" + sign(key, context, Backend(), HOUR, self.target.now) + "'"

    def _nonsense(self) -> str:
        return self.one(
            (
                f"'{self.stranger}'",
                "''",
                "NULL",
                "'|||||||'",
                f"repeat('|', {self.choice.randrange(999)})",
                f"'v1|{self.target.key_id}|0|9999999999999999|0||{self.stranger}|{self.stranger}'",
                f"'x'' OR tenant_id = {self.stranger} --'",
            )
        )
