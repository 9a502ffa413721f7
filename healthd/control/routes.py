"""What can be asked: every path with its method, who may, what may be sent along, and what comes back."""

from __future__ import annotations

import re

from healthd.config.access import Role
from healthd.control import answers, entering, following, reading, reporting, serving, telling
from healthd.control.asked import FLAG, NAMES, Kind, Param, choice, choices, count, number, optional, text
from healthd.control.failures import SENSELESS
from healthd.control.pacing import Pace
from healthd.control.route import Handler, Route
from healthd.events import KINDS
from healthd.operators.orders import LONGEST_REASON, LONGEST_TIME
from healthd.snapshot import STATES

LONGEST_EPOCH = 1e11
LONGEST_PATTERN = 200


_NUMBER = "[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_WEIGHT = rf"({_NUMBER}|(1000|[0-9]{{1,3}})%)?"


def _weight(value: object) -> str:
    given = str(value) if type(value) is int else "" if value is None else value
    if not isinstance(given, str) or not re.fullmatch(_WEIGHT, given, re.ASCII):
        raise ValueError('a weight from 0 to 65535, a share such as "50%", or null for the configured one')
    return given


WEIGHT = Kind(
    {
        "anyOf": [
            {"type": "string", "pattern": f"^{_WEIGHT}$", "maxLength": 5},
            {"type": "integer", "minimum": 0, "maximum": 65535},
            {"type": "null"},
        ]
    },
    _weight,
)

OFTEN, SELDOM, ALONE = Pace(20, 0.2), Pace(5, 2.0), Pace(5, 2.0, alone=True)
"""The paces of what costs more than it takes to ask. A plan keeps a processor busy, so there is one at a time."""

PATTERN = text(LONGEST_PATTERN)
EPOCH = number(0, LONGEST_EPOCH)
SECONDS = optional(number(0.001, LONGEST_TIME))

SERVICE = Param("service", PATTERN, "Services by name or pattern.", "*")
SERVER = Param("server", PATTERN, "Servers by name, address or pattern.", "*")
TOLD_OF = Param("server", PATTERN, "Servers that are told of, by name, address or pattern, among others too.", "*")
KIND = Param("kind", choices(sorted(KINDS)), "Events of these kinds.", ())
SERVERS = Param("servers", NAMES, 'Each "SERVICE/SERVER", "SERVICE/*" or "SERVER", with * and ?.', required=True)
REASON = Param("reason", text(LONGEST_REASON), "Why; it is shown and kept.", "")
FORCE = Param("force", FLAG, "Even if fewer than min_available servers are left.", default=False)
LIMIT = Param("limit", SECONDS, "Seconds after which what is still connected is cut off; without it nothing is.")
TTL = Param("ttl", SECONDS, "Seconds after which it ends by itself; without it somebody has to end it.")


def _get(path: str, handler: Handler, doc: str, answer: answers.Schema, *query: Param, failures: str = "") -> Route:
    return Route("GET", path, handler, doc, Role.READ, answer, query, failures=tuple(failures.split()))


def _act(name: str, handler: Handler, doc: str, *body: Param, pace: Pace | None = None) -> Route:
    path, carried, failures = f"/api/v1/{name}", (*body, REASON, FORCE), ("not_found", "conflict")
    return Route("POST", path, handler, doc, Role.OPERATE, answers.DONE, body=carried, failures=failures, pace=pace)


READING = (
    _get(
        "/api/v1/status",
        reading.status,
        "The state of everything.",
        answers.STATUS,
        SERVICE,
        SERVER,
        Param("state", choices(STATES), "Servers in one of these states.", ()),
        Param("summary", FLAG, "Services without their servers.", default=False),
        failures="busy",
    ),
    _get("/api/v1/services/{service}", reading.service, "One service.", answers.SERVICE, failures="not_found busy"),
    _get(
        "/api/v1/services/{service}/servers/{server}",
        reading.server,
        "One server.",
        answers.SERVER,
        failures="not_found",
    ),
    _get(
        "/api/v1/explain/{service}/{server}",
        reading.explain,
        "Why a server is in its state: outcomes, rule, edits.",
        answers.EXPLAINED,
        Param("at", EPOCH, "At this time, seconds since the epoch; now unless given."),
        failures=f"not_found {SENSELESS}",
    ),
    _get(
        "/api/v1/history",
        reading.history,
        "What happened, newest first.",
        answers.HISTORY,
        SERVICE,
        TOLD_OF,
        KIND,
        Param("since", EPOCH, "From this time on, seconds since the epoch."),
        Param("until", EPOCH, "Up to this time."),
        Param("limit", count(1, 1000), "So many events at most.", 100),
        Param("before", count(1, 2**62), "Only what came before the event of this id: `next` of the last answer."),
        failures="not_found",
    ),
    _get(
        "/api/v1/latency/{service}/{server}",
        reading.latency,
        "How long a server's checks took.",
        answers.LATENCY,
        Param("since", EPOCH, "From this time on; an hour before `until` unless given."),
        Param("until", EPOCH, "Up to this time; now unless given."),
        Param("step", choice(("minute", "hour", "day")), "The time that a point stands for.", "minute"),
        failures="not_found",
    ),
    Route(
        "GET",
        "/api/v1/events",
        following.events,
        "Events as they happen; with Last-Event-ID also what was missed.",
        Role.READ,
        query=(SERVICE, TOLD_OF, KIND),
        failures=("busy",),
        media_types=(following.SSE, following.NDJSON),
    ),
)

TELLING = (
    _act("drain", telling.drain, "No new connections; the ones there are end in peace.", SERVERS, LIMIT),
    _act("maintenance", telling.maintenance, "Out of service, and nobody is alarmed.", SERVERS, TTL),
    _act("ready", telling.ready, "Ends what drain and maintenance began.", SERVERS),
    _act(
        "weight",
        telling.weight,
        "A weight in place of the configured one.",
        SERVERS,
        Param("weight", WEIGHT, 'A number, a share such as "50%", or null for the configured one.', required=True),
    ),
    _act("freeze", telling.freeze, "The table is looked at and not edited.", TTL),
    _act("thaw", telling.thaw, "The table is edited again."),
    _act("check-now", telling.check_now, "The checks of these servers start at once.", SERVERS, pace=OFTEN),
    _act("reload", telling.reload, "Reads the configuration; an event says what came of it.", pace=SELDOM),
    _act(
        "alert-test",
        telling.alert_test,
        "Sends a test message.",
        Param("channel", optional(text(100)), "The name of the alert; all of them unless given."),
        pace=SELDOM,
    ),
    Route(
        "POST",
        "/api/v1/plan",
        telling.plan,
        "What a configuration would do, without doing it.",
        Role.OPERATE,
        answers.PLAN,
        body=(Param("path", optional(text(4096)), "A file or folder on the director; the one in use unless given."),),
        failures=("not_found", "conflict"),
        pace=ALONE,
    ),
)

REPORTING = (
    Route(
        "POST",
        "/api/v1/report",
        reporting.report,
        "What a server says of itself, for a check of type push, by the token of that check.",
        None,
        answers.DONE,
        body=(
            Param("service", text(200), "The name of the service.", required=True),
            Param("server", text(200), 'The server as "ADDRESS:PORT".', required=True),
            Param("check", text(200), "The name of the check.", "push"),
            Param("status", choice(("pass", "fail", "degraded")), "How it is.", required=True),
            Param("detail", text(1000), "Why; it is shown, shortened to 200 characters.", ""),
            Param("weight", optional(count(0, 65535)), "The weight that it asks for."),
            Param("factor", optional(number(0, 65535)), "Likewise, as a share of the configured weight: 0.5 is half."),
        ),
        failures=("unauthorized",),
        own_token=True,
    ),
)

OPEN = (
    Route("GET", "/api/v1/session", entering.session, "Who asks, and if logging in would help.", None, answers.SESSION),
    Route("GET", "/healthz", serving.healthz, "Whether healthd is alive.", None, answers.HEALTH, failures=("unwell",)),
    Route("GET", "/openapi.json", serving.openapi, "This description.", None, {"type": "object"}),
    Route("GET", "/readyz", serving.readyz, "Whether it can be relied on.", None, answers.HEALTH, failures=("unwell",)),
    Route(
        "POST",
        "/api/v1/login",
        entering.login,
        "A session for a browser, by a token.",
        None,
        answers.SESSION,
        body=(Param("token", text(200), "A token of tokens_file.", required=True),),
        failures=("unauthorized",),
    ),
    Route("POST", "/api/v1/logout", entering.logout, "Ends the session.", None, answers.NOTHING),
)

FILES = (
    Route(
        "GET",
        "/metrics",
        serving.metrics,
        "Metrics for Prometheus.",
        Role.READ,
        failures=("not_found", "busy"),
        media_types=("text/plain",),
    ),
    Route(
        "GET",
        "/",
        serving.page,
        "The page.",
        None,
        query=(
            Param("wall", text(10), "The view for a screen on the wall."),
            Param("theme", text(10), "Light or dark, whatever was chosen on the page."),
        ),
        failures=("not_found",),
        media_types=("text/html",),
    ),
    Route(
        "GET",
        "/static/{path:.+}",
        serving.static,
        "What the page is made of.",
        None,
        failures=("not_found",),
        media_types=("*/*",),
    ),
)

ROUTES = (*READING, *TELLING, *REPORTING, *OPEN, *FILES)
