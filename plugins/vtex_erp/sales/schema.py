"""The JSON Schema of a sales order. `python -m vtex_erp.sales.schema` writes it next to this module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vtex_erp.sales.model import SalesOrder

SCHEMA_FILE = Path(__file__).with_name("sales_order.schema.json")


def schema_text() -> str:
    """Generate the schema from the model."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SalesOrder.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    sys.stdout.write(f"{SCHEMA_FILE}\n")
