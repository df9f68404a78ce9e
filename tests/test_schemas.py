from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from vtex_erp.schemas import schema_texts

SETTINGS = {
    "rules.schema.json": "skus: {unknown: park, codes: {'1001': TSHIRT-M}}",
    "stores.schema.json": "stores: {main: {erp: tryton, actions: {canceled: note}, budget: {account: 600}}}",
}


def test_the_committed_schemas_are_the_models() -> None:
    for file, text in schema_texts().items():
        assert file.read_text(encoding="utf-8") == text, "run python -m vtex_erp.schemas"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_settings_file_is_valid_for_an_editor_and_a_misspelt_setting_is_not(name: str) -> None:
    schema = next(json.loads(text) for file, text in schema_texts().items() if file.name == name)
    jsonschema.validate(yaml.safe_load(SETTINGS[name]), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"misspelt": {}}, schema)
