"""`python -m vtex_erp`: the commands for a person at a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from vtex_erp.commands import explain, resync
from vtex_erp.errors import VtexErpError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (explain, resync)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m vtex_erp", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except VtexErpError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
