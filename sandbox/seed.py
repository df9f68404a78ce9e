"""The command `python -m sandbox.seed URL`: a feed for a running sandbox, and new orders each time."""

from __future__ import annotations

import argparse
import time

from sandbox.client import Sandbox

STATUSES = ("ready-for-handling", "handling", "canceled")
VISIBILITY_SECONDS = 240


def main(arguments: list[str] | None = None) -> None:
    """Configure the feed of the sandbox's key, and place orders of all kinds that real stores have."""
    options = _parser().parse_args(arguments)
    sandbox = Sandbox(options.url)
    sandbox.configure_feed(visibility_timeout=VISIBILITY_SECONDS, statuses=STATUSES)
    # The ledger outlives a sandbox: the same orders again would be known already, and rightly left alone.
    placed = sandbox.generate(options.count, seed=time.time_ns())
    sandbox.close()
    print(f"{len(placed)} orders are waiting in the feed of {sandbox.account}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.seed", description=main.__doc__)
    parser.add_argument("url", help="where the sandbox listens")
    parser.add_argument("--count", type=int, default=30, help="how many orders to place")
    return parser


if __name__ == "__main__":
    main()
