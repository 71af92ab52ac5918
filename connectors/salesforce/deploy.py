"""Own objects by the Metadata API, as deployments of a small package: the Tooling API lists objects but makes none.

Metadata API Developer Guide, "Deploy Metadata with Apex Testing Using REST"; Tooling API, "CustomObject" (Query, GET).
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from connectors.errors import RejectedError
from connectors.salesforce.api import SalesforceApi

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_OBJECTS = "<types><members>{name}</members><name>CustomObject</name></types>"
_WAITS = (1.0, 2.0, 5.0) + (10.0,) * 30
"""Pauses between looks at a deployment; queues are short, and five minutes are long for one object."""


def make_object(api: SalesforceApi, name: str, label: str, *, sleep: Callable[[float], object]) -> None:
    """Makes a private object without fields of its own, its rows numbered. Raises RejectedError with the reason."""
    described = (
        f"<label>{escape(label)}</label><pluralLabel>{escape(label)}s</pluralLabel>"
        "<nameField><displayFormat>SB-{000000}</displayFormat><label>Number</label><type>AutoNumber</type></nameField>"
        "<deploymentStatus>Deployed</deploymentStatus>"
        "<sharingModel>Private</sharingModel>"  # an appraisal is for the person and those above
        "<description>One row per person and period, written by Scoreback</description>"
    )
    files = {
        "package.xml": _document("Package", _OBJECTS.format(name=name) + _version(api)),
        f"objects/{name}.object": _document("CustomObject", described),
    }
    _deploy(api, files, sleep)


def delete_object(api: SalesforceApi, name: str, *, sleep: Callable[[float], object]) -> None:
    """Deletes an object with its rows; Setup restores it for 15 days. Raises RejectedError with the reason."""
    files = {
        "package.xml": _document("Package", _version(api)),
        "destructiveChanges.xml": _document("Package", _OBJECTS.format(name=name)),
    }
    _deploy(api, files, sleep)


def _version(api: SalesforceApi) -> str:
    return f"<version>{api.version}</version>"


def _document(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{content}</{root}>\n'


def _deploy(api: SalesforceApi, files: Mapping[str, str], sleep: Callable[[float], object]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in files.items():
            package.writestr(name, text)
    job = api.deploy(archive.getvalue())
    for seconds in _WAITS:
        told: Mapping[str, Any] = api.rest(f"metadata/deployRequest/{job}", params={"includeDetails": "true"})
        result = told["deployResult"]
        if result["done"]:
            if not result["success"]:
                raise RejectedError(str(result["status"]), _reason(result), 200)
            return
        sleep(seconds)
    raise RejectedError("InProgress", f"deployment {job} is still under way: see Setup > Deployment Status", 200)


def _reason(result: Mapping[str, Any]) -> str:
    failures = (result.get("details") or {}).get("componentFailures") or []
    problems = [str(one["problem"]) for one in failures if one.get("problem")]
    return "; ".join(problems) or str(result.get("errorMessage") or "no reason is given")
