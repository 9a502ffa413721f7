"""healthd.toml(5) and healthd-checkers(7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from healthd.config.jsonschema import schema
from manual.program import DOCS, table
from manual.roff import Page
from manual.schema import Schema, resolved, rows

_INTRODUCTION = """\
healthd reads a TOML file, or a folder of which every `*.toml` is read in name order as one configuration;
`/etc/healthd/conf.d` unless told otherwise. A service, a check and an alert each stand whole in one file.

Durations are strings with a unit: "500ms", "5s", "2m", "1h". Addresses are numeric. An unknown key is an error.
The name of a file that is read for its content may be `credential:NAME`, for a credential that systemd passes on
(LoadCredential= in systemd.exec(5)).

`healthd config check` says everything that is wrong, with file, line and key. `healthd config schema` prints a JSON
Schema for editors. A SIGHUP, or `systemctl reload healthd`, has the daemon take over what has changed; a
configuration with a mistake changes nothing."""

_EXAMPLE = """\
[service.web]
virtual = "192.168.7.110:80"
scheduler = "wlc"
forward = "gate"
fallback = "127.0.0.1:80"
check = { type = "http", path = "/.health.html", expect = "OK" }

[[service.web.server]]
address = "192.168.7.11"
weight = 2

[[service.web.server]]
address = "192.168.7.12\""""

_CHECKERS = """\
A check asks one real server one question, again and again. Its outcome is PASS, FAIL (the server's fault) or UNKNOWN
(this machine's: no descriptors, no route, a script that does not start); UNKNOWN never takes a server out.

A check stands in the configuration as `[check.NAME]` or in a service, see `healthd.toml`(5). Besides `type` and the
options below it has the keys `interval`, `fast_interval`, `timeout`, `fall` and `rise`. Every kind can be tried out:

    healthd probe KIND ADDRESS:PORT -o key=value

Checks of other kinds are Python classes in `plugin_dir`, `type = "module:Class"`, and scripts, of kind `command`."""

_TIMING = frozenset({"interval", "fast_interval", "timeout", "fall", "rise"})


def configuration() -> Page:
    whole = schema()
    page = Page("healthd.toml", 5, "configuration of the IPVS health checker healthd")
    page.heading("DESCRIPTION")
    page.prose(_INTRODUCTION)
    page.heading("TABLES")
    for title, fields in _tables(whole):
        page.subheading(title)
        if "description" in fields:
            page.paragraph(fields["description"])
        page.items(rows(fields, whole))
    page.heading("EVENTS")
    page.paragraph("What may stand in `events` of an alert; what matters to most people is told without it.")
    page.items(_events())
    page.heading("EXAMPLE")
    page.literal(_EXAMPLE)
    page.heading("FILES")
    page.item("/etc/healthd/conf.d/*.toml", "The configuration.")
    page.heading("SEE ALSO")
    page.paragraph("`healthd`(8), `healthd-checkers`(7), `ipvsadm`(8)")
    return page


def _events() -> Iterator[tuple[str, str]]:
    for name, columns in table("## Events", "event", DOCS / "alerts.md"):
        severity, told, meaning = (column.strip() for column in columns.split("|"))
        yield name, f"({severity}{', told unless said otherwise' if told else ''}) {meaning}"


def _tables(whole: Schema) -> Iterator[tuple[str, Schema]]:
    for name, reference in whole["properties"].items():
        if name == "check":
            continue  # a page of its own
        named = reference.get("additionalProperties")
        if not named:
            yield f"[{name}]", resolved(reference, whole)
            continue
        table = resolved(named, whole)
        kinds = [resolved(kind, whole) for kind in table.get("oneOf", ()) if "$ref" in kind]
        for each in kinds or [table]:
            kind = each["properties"].get("type", {}).get("const")
            yield f"[{name}.NAME]" + (f' with type = "{kind}"' if kind else ""), each
        if name == "service":
            tables = whole["$defs"]
            yield "[[service.NAME.server]]", tables["ServerTable"]
            yield "[service.NAME.fallback]", tables["FallbackTable"]


def checkers() -> Page:
    whole = schema()
    page = Page("healthd-checkers", 7, "kinds of check of the IPVS health checker healthd")
    page.heading("DESCRIPTION")
    page.prose(_CHECKERS)
    kinds = [kind for kind in whole["$defs"]["Check"]["oneOf"] if "const" in kind["properties"]["type"]]
    common = _common(kinds, whole)
    page.heading("OPTIONS OF EVERY KIND")
    page.items(each for each in common if each[0] not in _TIMING)
    page.heading("KINDS")
    for kind in kinds:
        page.subheading(kind["properties"]["type"]["const"])
        page.prose(kind.get("description", ""))
        page.items(each for each in rows(kind, whole) if each not in common)
    page.heading("SEE ALSO")
    page.paragraph("`healthd`(8), `healthd.toml`(5)")
    return page


def _common(kinds: Sequence[Schema], whole: Schema) -> list[tuple[str, str]]:
    """The options that every kind has, in the same words."""
    first, *others = (list(rows(kind, whole)) for kind in kinds)
    return [each for each in first if all(each in other for other in others)]
