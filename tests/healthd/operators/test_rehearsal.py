from __future__ import annotations

from pathlib import Path

import pytest

from healthd.ipvs import IpvsUnavailable
from tests.support.daemons import OTHER, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_plan_is_made_from_the_files(site: Site) -> None:
    """Of those in use as they are now, or of others; nothing of it is done."""
    async with site.running() as daemon:
        await site.until(lambda: site.table.count(" -w 1") == 2)
        before = site.table
        assert (await daemon.operator.plan(None)).effects == ()
        site.web(weight=5)
        assert (await daemon.operator.plan(None)).edits == ("-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 5",)
        other = site.folder.parent / "other.toml"
        other.write_text(OTHER)
        found = await daemon.operator.plan(other)
        assert found.edits == ("-A -t 192.168.7.111:80 -s wlc", "-D -t 192.168.7.110:80")
        assert found.effects[:2] == ("service other added", "service web removed")
        assert site.table == before


async def test_a_bad_configuration_has_its_errors_and_no_plan(site: Site) -> None:
    """With file, line and key."""
    async with site.running() as daemon:
        site.write("web.toml", "[service.web]\nvirtual = 5\n")
        found = await daemon.operator.plan(None)
        assert (found.edits, found.effects) == ((), ())
        assert any(error.startswith(f"{site.folder / 'web.toml'}:2: service.web.virtual: ") for error in found.errors)
        found = await daemon.operator.plan(site.folder / "none.toml")
        assert "none.toml" in found.errors[0]


async def test_without_a_table_there_is_no_plan(site: Site) -> None:
    """What it would do cannot be told."""
    async with site.running() as daemon:

        def out_of_reach(_: object = None) -> None:
            raise IpvsUnavailable("this kernel has no IPVS")

        site.write("other.toml", OTHER)
        site.ipvs.read = out_of_reach  # type: ignore[method-assign, assignment] # for this test
        assert (await daemon.operator.plan(None)).errors == ("this kernel has no IPVS",)
