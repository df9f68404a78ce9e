"""The JSON Schema of a rules file, for editors. `python -m vtex_erp.rules.schema` writes it next to this module.

With `--check` it writes nothing and ends with status 1 when the file does not fit the model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vtex_erp.rules.model import Rules

SCHEMA_FILE = Path(__file__).with_name("rules.schema.json")


def schema_text() -> str:
    """Generate the schema from the model."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Rules.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the file; the exit status."""
    if "--check" not in arguments:
        SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    elif SCHEMA_FILE.read_text(encoding="utf-8") != schema_text():
        sys.stderr.write(f"{SCHEMA_FILE} does not fit the model: run python -m vtex_erp.rules.schema\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
