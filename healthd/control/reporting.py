"""A server that says by itself how it is: the reports of `push` checks, each by the token of its check."""

from __future__ import annotations

from aiohttp import web

from checkers.base import Code, Outcome, Status, passed, show
from healthd.control.asking import Ask, answer
from healthd.control.failures import Failed

LONGEST_DETAIL = 200


async def report(ask: Ask) -> web.StreamResponse:
    body, reports = ask.body, ask.rooms.sources.reports
    kind, _, token = ask.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or reports is None:
        raise Failed("unauthorized", "the token of the check is needed: Authorization: Bearer TOKEN")
    name = f"{body['service']}/{body['server']}/{body['check']}"
    if not reports(name, token.strip(), _outcome(body["status"], body["detail"], body["weight"], body["factor"])):
        raise Failed("unauthorized", f"{show(name, 300)} is no push check, or this is not its token")
    return answer({"done": [f"{name}: {body['status']}"], "edits": []})


def _outcome(status: str, detail: str, weight: int | None, factor: float | None) -> Outcome:
    text = f"reports {status}" + (f": {show(detail, LONGEST_DETAIL)}" if detail else "")
    if status == "fail":
        return Outcome(Status.FAIL, Code.L7STS.value, text)
    return passed(Code.L7OK, text, weight=weight, factor=factor, degraded=status == "degraded")
