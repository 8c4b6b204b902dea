"""Fill the database with generated data and judge the books: ``python -m examples.subscriptions`` with DATABASE_URL."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from examples.subscriptions import books
from examples.subscriptions.connect import connect
from examples.subscriptions.load import SIZES, Load


def main() -> int:
    """Exit status 1 where the books are wrong."""
    arguments = _arguments()
    last = datetime.now(UTC).date().replace(day=1)
    db = connect()
    try:
        load = Load(db, SIZES[arguments.size], last, seed=arguments.seed, clients=arguments.clients)
        if load.there():
            print(f"The generated accounts of seed {arguments.seed} are there already; choose another --seed.")
            return 2
        tally = load.run()
        tenants = [customer.tenant for customer in load.customers]
        wrong = books.faults(db, tenants) + books.missing(db, tenants, tally)
    finally:
        db.dispose()
    rate = tally.transactions / tally.seconds
    print(f"{tally.transactions:,} generated transactions of {arguments.clients} clients, {rate:,.0f} a second")
    for what, count in sorted(tally.done.items()):
        print(f"{count:>9,}  {what}")
    for why, count in sorted(tally.refused.items()):
        print(f"{count:>9,}  refused: {why}")
    print("The books are right." if not wrong else "\n".join(wrong))
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A made-up year of a subscription business.")
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
