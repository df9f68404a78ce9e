"""The JSON Schemas of a sales order, and of the settings files for editors. `python -m vtex_erp.schemas` writes them.

With `--check` it writes nothing and ends with status 1 when a file does not fit its model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vtex_erp.rules.model import Rules
from vtex_erp.sales.model import SalesOrder
from vtex_erp.stores.model import Stores

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent


def schema_texts() -> Mapping[Path, str]:
    """Generate every schema from its model; by the file that holds it."""
    schemas = {
        "sales/sales_order.schema.json": SalesOrder.model_json_schema(mode="serialization"),
        "rules/rules.schema.json": Rules.model_json_schema(),
        "stores/stores.schema.json": Stores.model_json_schema(),
    }
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        _FOLDER / name: json.dumps({**dialect, **schema}, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def main(arguments: list[str]) -> int:
    """Write or check the files; the exit status."""
    texts = schema_texts()
    if "--check" not in arguments:
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
        return 0
    wrong = [file for file, text in texts.items() if file.read_text(encoding="utf-8") != text]
    for file in wrong:
        sys.stderr.write(f"{file} does not fit the model: run python -m vtex_erp.schemas\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
