"""Write the JSON Schemas (draft 2020-12) of all formats, with the limits that the code has.

``--check`` writes nothing and fails where the committed files differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from document_schemas import list_documents
from evidence_schemas import list_evidence
from generated_files import write_or_check
from schema_parts import Schema, define

SCHEMAS: Final = Path(__file__).resolve().parent.parent / "docs/reference/schemas"


def list_schemas() -> dict[str, Schema]:
    """Every schema by its file name, which is its id."""
    listed = [define(), *list_documents(), *list_evidence()]
    return {schema["$id"]: schema for schema in listed}


def render_schemas() -> dict[Path, str]:
    """All files and what belongs in them."""
    return {
        SCHEMAS / name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in list_schemas().items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    return write_or_check(render_schemas(), check=parser.parse_args().check)


if __name__ == "__main__":
    sys.exit(main())
