"""From the tables of all files to one configuration: this is where references, inheritance and rivals are settled."""

from __future__ import annotations

from healthd.config.checklists import CheckLists
from healthd.config.checks import CheckReader
from healthd.config.control import control
from healthd.config.findings import Findings, Place
from healthd.config.history import history
from healthd.config.models import HealthdTable, Inherited
from healthd.config.sections import Sections, read
from healthd.config.services import ServiceReader
from healthd.config.values import AlertConfig, Config, ServiceConfig, Settings


def resolve(sections: Sections, whole: Place, findings: Findings) -> Config:
    """The configuration as far as it goes; of use only if `findings` has no error. `whole` stands for all files."""
    settings = Settings(**read(sections.shared["healthd"], HealthdTable, findings).table)
    defaults = read(sections.shared["defaults"], Inherited, findings)
    reader = CheckReader(settings.plugin_dir, findings)
    named = {name: reader.read(section) for name, section in sections.named["check"].items()}
    lists = CheckLists(named, reader, findings)
    if "check" in defaults.table:  # read even if no service inherits it
        lists.read(defaults.table["check"], defaults.section.at(("check",)))
    services = ServiceReader(settings, defaults, lists, findings)
    found = [services.read(name, section) for name, section in sections.named["service"].items()]
    for name in named.keys() - lists.used:
        findings.warn(sections.named["check"][name].place, "no service uses this check")
    if not found:
        findings.warn(whole, "no [service.NAME] in any file: nothing will be checked")
    alerts = _alerts(sections, findings)
    return Config(
        settings=settings,
        services=tuple(service for service in found if isinstance(service, ServiceConfig)),
        alerts=alerts,
        control=control(sections.shared["control"], settings.state_dir, findings),
        history=history(sections.shared["history"], settings.state_dir, findings),
        warnings=findings.warnings,
        sources={name: section.place.document.path for name, section in sections.named["service"].items()},
    )


def _alerts(sections: Sections, findings: Findings) -> tuple[AlertConfig, ...]:
    if not sections.named["alert"]:
        return ()
    # A tenth of a second of CPU, which a round of checks in cron can do without.
    from healthd.config.alerts import alert  # noqa: PLC0415

    services = sections.named["service"]
    rules = [alert(name, section, services, findings) for name, section in sections.named["alert"].items()]
    return tuple(rule for rule in rules if rule is not None)
