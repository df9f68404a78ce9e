"""Starts the sandbox as a process of its own, for as long as it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.client import Sandbox, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def running(*, port: int = 0, account: str = "sandboxstore", seed: int = 1) -> Iterator[Sandbox]:
    """Run VTEX and the ERP on a free port and yield a client of them.

    The process ends with the block, and with this process however that one ends. Raises SandboxError when
    it does not come up; its own words are on standard error.
    """
    command = [
        *(sys.executable, "-m", "sandbox.vtex", "--erp", "--while-stdin-open"),
        *("--port", str(port), "--account", account, "--seed", str(seed)),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", ""))),
    }
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            sandbox = Sandbox(_address(process))
            try:
                yield sandbox
            finally:
                sandbox.close()
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("listening on "):
        raise SandboxError("the sandbox did not start; see standard error for its reason")
    return line.removeprefix("listening on ").strip()
