"""Every version of the API does the same."""

from connectors.base import Write
from connectors.hubspot import HubSpot
from connectors.mapping import content_hash
from tests.connectors.hubspot.conftest import (
    ALL,
    ALONG,
    DEALS,
    EVERY_VERSION,
    KEYED,
    LONG_AGO,
    PEOPLE,
    VALUES,
    Open,
    pulled,
    specs,
    verdicts,
    window,
)


@EVERY_VERSION
def test_every_version_of_the_api_tells_the_same(opened: Open, version: str) -> None:
    def told(connector: HubSpot) -> dict[str, str]:
        asked = (window(streams=ALL), window(LONG_AGO, streams=ALL))
        found = [(name, pulled(connector, name, one)) for name in sorted(ALL) for one in asked]
        return {
            f"{name} {at} {one}": content_hash(record)
            for at, (name, rows) in enumerate(found)
            for one, record in rows.items()
        }

    found = told(opened(api_version=version))

    assert {key.split(" ")[0] for key in found} == ALL - ALONG
    assert found == told(opened())


@EVERY_VERSION
def test_every_version_of_the_api_is_provisioned_written_and_read_back(opened: Open, version: str) -> None:
    hubspot = opened(api_version=version)
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))

    for target, remote_id in ((DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4")):
        assert verdicts(hubspot, target, [Write(remote_id, VALUES)]) == {remote_id: None}
        assert hubspot.read_fields(target, [remote_id], list(VALUES)) == {remote_id: VALUES}
