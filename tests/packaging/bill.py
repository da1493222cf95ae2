"""The bill of materials that ships in the wheel (CycloneDX 1.7): what pyproject.toml asks for, and which versions it allows.

    python tests/packaging/bill.py --write    after a dependency was changed

It bundles nothing. What is really installed beside it only the environment knows: `cyclonedx-py environment .venv`.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BILL = ROOT / "hlhcli" / "share" / "hlhcli.cdx.json"
_DEVELOPMENT = ("test", "lint")


def bill() -> str:
    """The document, the same each time: it has no date and no serial number."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.search(r'^__version__ = "(.*)"$', (ROOT / "hlhcli" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in _DEVELOPMENT}
    required = {_name(need): need for need in project["dependencies"]}
    optional = {_name(need): need for needs in extras.values() for need in needs if _name(need) not in required}
    own = f"pkg:pypi/{project['name']}@{found[1]}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": found[1],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": own,
            },
            "lifecycles": [{"phase": "pre-build"}],
        },
        "components": [
            *(_component(name, need, []) for name, need in sorted(required.items())),
            *(
                _component(name, need, [extra for extra in extras if need in extras[extra]])
                for name, need in sorted(optional.items())
            ),
        ],
        "dependencies": [{"ref": own, "dependsOn": sorted(f"pkg:pypi/{name}" for name in (*required, *optional))}],
    }
    return json.dumps(document, indent=2) + "\n"


def _name(need: str) -> str:
    """The normalized name of a requirement such as `psycopg[binary]>=3.1`."""
    return re.split(r"[\[<>=!~;\s]", need)[0].lower().replace("_", "-").replace(".", "-")


def _component(name: str, need: str, extras: list[str]) -> dict[str, Any]:
    ranges = "|".join(part.strip() for part in re.sub(r"^[^<>=!~]*", "", need).split(","))
    properties = [{"name": "cdx:python:package:required-extra", "value": extra} for extra in extras]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}",
        "name": name,
        "versionRange": f"vers:pypi/{ranges}",
        "isExternal": True,
        "scope": "optional" if extras else "required",
        "purl": f"pkg:pypi/{name}",
    } | ({"properties": properties} if extras else {})


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        BILL.write_text(bill(), encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(bill())
