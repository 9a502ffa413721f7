"""A browser shows a token once and is known by a cookie from then on."""

from __future__ import annotations

from aiohttp import web

from healthd.config.access import Role
from healthd.control.asking import Ask, answer
from healthd.control.failures import Failed
from healthd.control.people import holder
from healthd.control.sessions import COOKIE


async def login(ask: Ask) -> web.StreamResponse:
    tokens = ask.rooms.config.tokens or ()
    token = holder(tokens, ask.body["token"])
    if token is None:
        raise Failed("unauthorized", "this token is not known")
    secret, session = ask.rooms.sessions.begin(token)
    response = answer({"who": token.name, "role": token.role.value, "csrf": session.csrf})
    response.set_cookie(COOKIE, secret, httponly=True, samesite="Strict", path="/", secure=ask.request.secure)
    return response


async def logout(ask: Ask) -> web.StreamResponse:
    ask.rooms.sessions.end(ask.request.cookies.get(COOKIE, ""))
    response = answer({})
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=ask.request.secure)
    return response


async def session(ask: Ask) -> web.StreamResponse:
    """Who asks, and whether logging in with a token would help."""
    may_operate = ask.person is not None and ask.person.role is Role.OPERATE
    return answer(ask.you | {"login": bool(ask.rooms.config.tokens) and not may_operate})
