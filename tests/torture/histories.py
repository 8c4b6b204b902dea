"""Short histories in a notation of one line a transaction: ``ok a+1 b:1,2`` appends 1 to a and reads b as [1, 2]."""

from __future__ import annotations

from torture.history import Operation, Status, Transaction, append, read


def parse(text: str) -> list[Transaction]:
    """The history of a block of lines.

    Each is ``[process@start-end] status step ...``; a step ``a:`` reads an empty list, ``a:?`` one that never came.
    """
    return [_transaction(number, line.split()) for number, line in enumerate(text.strip().splitlines())]


def _transaction(number: int, words: list[str]) -> Transaction:
    process, started, ended = number, 0, 1
    if "@" in words[0]:
        client, _, times = words.pop(0).partition("@")
        begin, _, end = times.partition("-")
        process, started, ended = int(client), int(begin), int(end)
    status = Status(words.pop(0))
    return Transaction([_step(word) for word in words], status, process, started, ended)


def _step(word: str) -> Operation:
    if "+" in word:
        key, _, element = word.partition("+")
        return append(key, int(element))
    key, _, elements = word.partition(":")
    return read(key, None if elements == "?" else [int(element) for element in elements.split(",") if element])
