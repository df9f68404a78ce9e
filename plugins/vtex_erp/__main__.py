"""`python -m vtex_erp`: the commands of the package."""

from __future__ import annotations

import argparse
import sys

from vtex_erp.commands import resync


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its status."""
    parser = argparse.ArgumentParser(prog="python -m vtex_erp", description="VTEX orders into the ERP.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    resync.add_parser(commands)
    given = parser.parse_args(arguments)
    status: int = given.run(given)
    return status


if __name__ == "__main__":
    sys.exit(main())
