"""Everything that the server tells in answer to a text: values, copied rows, errors, notices."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import pq

COPY_OUT, COPY_IN, TUPLES = pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_IN, pq.ExecStatus.TUPLES_OK
FAILED = pq.ExecStatus.FATAL_ERROR


@dataclass
class Answer:
    """What was told, and the SQLSTATE of the error at its end, "" where there was none.

    ``cells`` are the values of results with the names of their columns.
    """

    texts: list[str] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)
    state: str = ""

    def hear(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        """Keep a notice."""
        self.texts.append(f"{diagnostic.message_primary} {diagnostic.message_detail} {diagnostic.context}")

    def take(self, pgconn: pq.abc.PGconn, result: pq.abc.PGresult) -> None:
        """Keep a result."""
        if result.status == TUPLES:
            self._take_rows(result)
        elif result.status == COPY_OUT:
            self._take_copy(pgconn)
        elif result.status == COPY_IN:
            pgconn.put_copy_end(b"nothing to copy")
        elif result.status == FAILED:
            self.texts.append(result.error_message.decode("utf-8", "replace"))
            self.state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode() or "lost"

    def _take_rows(self, result: pq.abc.PGresult) -> None:
        for column in range(result.nfields):
            name = (result.fname(column) or b"").decode("utf-8", "replace")
            for row in range(result.ntuples):
                value = result.get_value(row, column)
                if value is not None:
                    self.cells.append((name, value.decode("utf-8", "replace")))

    def _take_copy(self, pgconn: pq.abc.PGconn) -> None:
        while True:
            size, data = pgconn.get_copy_data(0)
            if size < 0:
                return
            self.texts.append(bytes(data).decode("utf-8", "replace"))


def told(connection: psycopg.Connection[object], text: str) -> Answer:
    """Send a text as it is, several statements as well, and keep all that comes back."""
    answer = Answer()
    connection.add_notice_handler(answer.hear)
    try:
        connection.pgconn.send_query(text.encode())
        while (result := connection.pgconn.get_result()) is not None:
            answer.take(connection.pgconn, result)
    except psycopg.OperationalError as error:
        answer.texts.append(str(error))
        answer.state = "lost"
    finally:
        connection.remove_notice_handler(answer.hear)
    return answer
