"""The command `python -m sandbox.vtex`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from sandbox.vtex.app import SandboxApp
from sandbox.vtex.server import serve
from sandbox.vtex.simulator import Simulator


def main(arguments: list[str] | None = None) -> None:
    """Start a simulated VTEX account, and with --erp the ERP beside it."""
    options = _parser().parse_args(arguments)
    simulator = Simulator(options.account, app_key=options.app_key, app_token=options.app_token, seed=options.seed)
    if options.while_stdin_open:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    serve(SandboxApp(simulator, with_erp=options.erp), host=options.host, port=options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.vtex", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port and prints it")
    parser.add_argument("--account", default="sandboxstore")
    parser.add_argument("--app-key", default="vtexappkey-sandboxstore-AAAAAA")
    parser.add_argument("--app-token", default="sandbox-token")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    parser.add_argument("--erp", action="store_true", help="serve the REST ERP under /erp, too")
    parser.add_argument(
        "--while-stdin-open",
        action="store_true",
        help="stop when standard input closes: with the parent process",
    )
    return parser


def _stop_with_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
