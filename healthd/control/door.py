"""Every request comes through here: who is it, may they, is it well-formed; and every failure leaves in one form."""

from __future__ import annotations

import functools
import json
import math
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from healthd.clock import Deadline
from healthd.config.access import Role
from healthd.control import asked
from healthd.control.asking import Ask, by_unix_socket
from healthd.control.failures import HTTP, Failed
from healthd.control.guard import Crowd
from healthd.control.openapi import description
from healthd.control.origin import check_csrf, check_host, check_origin
from healthd.control.pacing import Measures
from healthd.control.people import Person, Users, holder, user_of
from healthd.control.rooms import Rooms
from healthd.control.route import Route
from healthd.control.routes import ROUTES
from healthd.control.sessions import COOKIE
from healthd.control.sources import Unanswered
from healthd.events import ActRefused
from healthd.operators.orders import Order

LARGEST_BODY = 65536
TOLD_EVERY = 1.0
"""Seconds between two events of acts by those who may not: who keeps trying does not fill the audit trail."""
BODY_TIME = 10.0
"""Seconds in which the body of a request has to come."""

_STATUSES: Mapping[int, str] = {http: status for status, http in HTTP.items()}
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    def __init__(self, rooms: Rooms, crowds: Mapping[bool, Crowd]) -> None:
        """`crowds` are the connections: by True those of the unix socket, by False those on TCP."""
        self._rooms = rooms
        self._crowds = crowds
        self._users = Users(rooms.sources.clock)
        self._host = socket.gethostname().lower()
        self._measures = Measures(rooms.sources.clock)
        self._refused_at = -math.inf
        rooms.description = json.dumps(description(ROUTES)).encode()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._answered], client_max_size=LARGEST_BODY)
        for route in ROUTES:
            app.router.add_route(route.method, route.path, functools.partial(self._serve, route))
        app.on_response_prepare.append(_name)
        return app

    @web.middleware
    async def _answered(self, request: web.Request, handler: Next) -> web.StreamResponse:
        transport = request.transport
        crowd = self._crowds[by_unix_socket(request)]
        crowd.begin(transport)
        try:
            return await handler(request)
        except Failed as failed:
            return _failure(failed)
        except Unanswered as error:
            return _failure(Failed("busy", str(error)))
        except web.HTTPException as error:
            if error.status not in _STATUSES:
                raise
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _failure(Failed(_STATUSES[error.status], _words(error)), headers)
        except ConnectionError:  # the peer has gone, or has to: there is nobody to answer
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        finally:
            crowd.end(transport)

    async def _serve(self, route: Route, request: web.Request) -> web.StreamResponse:
        if not by_unix_socket(request):
            self._check_host(request)
        if route.method != "GET":
            check_origin(request.headers)
        person = await self._person(request, open_to_all=route.role is None)
        if route.role is not None:
            self._admit(route, person)
        if route.method != "GET" and person is not None and person.csrf:
            check_csrf(request.headers, person.csrf)
        query = asked.from_query(route.query, request.query.items())
        body = asked.from_body(route.body, await self._body(request)) if route.method != "GET" else {}
        ask = Ask(request, self._rooms, person, query, body)
        if route.pace is None or person is None:
            return await route.handler(ask)
        async with self._measures.turn(person.who, route.name, route.pace):
            return await route.handler(ask)

    def _check_host(self, request: web.Request) -> None:
        config = self._rooms.config
        names = frozenset({self._host, *config.names})
        check_host(request.headers.get("Host", ""), names, loopback=config.tokens_file is None)

    async def _person(self, request: web.Request, *, open_to_all: bool) -> Person | None:
        if by_unix_socket(request):
            return await self._local_person(request)
        config = self._rooms.config
        if config.tokens_file is None:
            return Person("anyone on this machine", Role.READ)
        tokens = config.tokens or ()
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind:
            token = holder(tokens, secret.strip()) if kind.lower() == "bearer" else None
            if token is None and open_to_all:
                return None
            if token is None:
                raise Failed("unauthorized", "this token is not known")
            return Person(token.name, token.role)
        session = self._rooms.sessions.find(request.cookies.get(COOKIE, ""), tokens)
        return Person(session.token.name, session.token.role, session.csrf) if session else None

    async def _local_person(self, request: web.Request) -> Person:
        connection = request.transport.get_extra_info("socket") if request.transport else None
        if connection is None:
            raise ConnectionResetError
        user = user_of(connection)
        return Person(await self._users.name(user), Role.OPERATE, trusted=user in (0, os.geteuid()))

    def _admit(self, route: Route, person: Person | None) -> None:
        if person is None:
            raise Failed("unauthorized", "a token is needed: Authorization: Bearer TOKEN, or log in on the page")
        if route.role is Role.OPERATE and person.role is not Role.OPERATE:
            sources = self._rooms.sources
            text = f"{person.who} may read and not operate"
            who = Order(who=person.who).printable.who
            if sources.clock.monotonic() >= self._refused_at + TOLD_EVERY:
                self._refused_at = sources.clock.monotonic()
                sources.bus.publish(ActRefused(at=sources.clock.wall(), who=who, act=route.name, messages=(text,)))
            raise Failed("forbidden", text)

    async def _body(self, request: web.Request) -> bytes:
        if request.body_exists and request.content_type != "application/json":
            raise Failed("unsupported", "the body has to be JSON: Content-Type: application/json")
        try:
            async with Deadline(self._rooms.sources.clock, BODY_TIME):
                return await request.read()
        except TimeoutError:
            raise Failed("too_slow", f"the body did not come within {BODY_TIME:g} seconds") from None


async def _name(_request: web.Request, response: web.StreamResponse) -> None:
    """Which libraries speak here, and of which release, is nobody's business."""
    response.headers["Server"] = "healthd"


def _failure(failed: Failed, headers: Mapping[str, str] | None = None) -> web.Response:
    more = {**failed.headers, **(headers or {}), "Cache-Control": "no-store"}
    if failed.status == "unauthorized":
        more["WWW-Authenticate"] = "Bearer"
    return web.Response(body=failed.body, status=failed.http, content_type="application/json", headers=more)


def _words(error: web.HTTPException) -> str:
    match error:
        case web.HTTPNotFound():
            return "there is nothing here; /openapi.json says what there is"
        case web.HTTPMethodNotAllowed():
            return f"not with {error.method}; allowed here: {', '.join(sorted(error.allowed_methods))}"
        case web.HTTPRequestEntityTooLarge():
            return f"the body has more than {LARGEST_BODY} bytes"
    return error.reason
