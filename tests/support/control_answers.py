"""Answers of a daemon, in the shape that its control interface documents, for what reads them."""

from __future__ import annotations

from typing import Any

AT = 1_795_359_600.0
"""When they were given."""


def outcome(status: str = "pass", code: str = "L7OK", detail: str = "HTTP/1.1 200 OK", seconds: float = 0.004) -> Any:
    return {"status": status, "code": code, "detail": detail, "seconds": seconds}


REFUSED = outcome("fail", "L4CON", "connecting to 10.0.0.2:80: Connection refused (ECONNREFUSED)", 0.0003)


def check(health: str = "up", last: Any = None, **more: Any) -> dict[str, Any]:
    known = {"name": "http", "kind": "http", "settled": True, "progress": "", "unknowns": 0, "age": 2.5, "cause": None}
    return {**known, "health": health, "last": last or (REFUSED if health == "down" else outcome()), **more}


def server(address: str = "10.0.0.1", health: str = "up", **more: Any) -> dict[str, Any]:
    down = health == "down"
    progress = more.get("progress", "")
    known = {
        "service": "web",
        "name": f"{address}:80",
        "address": address,
        "port": 80,
        "state": health,
        "health": health,
        "degraded": False,
        "progress": progress,
        "weight": 0 if down else 2,
        "configured_weight": 2,
        "active": 12,
        "inactive": 3,
        "persistent": 0,
        "since": AT - 7500,
        "transitions": 1,
        "reason": "L4CON connecting to 10.0.0.2:80: Connection refused (ECONNREFUSED)" if down else "",
        "override": None,
        "checks": [check(health, progress=progress)],
    }
    return known | more


def override(admin: str = "drain", **more: Any) -> dict[str, Any]:
    known = {"weight": None, "cut": False, "since": AT - 60, "until": None, "who": "ann", "reason": "new kernel"}
    return {**known, "admin": admin, **more}


def service(*servers: dict[str, Any], name: str = "web", **more: Any) -> dict[str, Any]:
    up = sum(one["state"] == "up" for one in servers)
    known = {
        "name": name,
        "virtual": "192.0.2.10:80/tcp",
        "scheduler": "wlc",
        "standing": "served" if up else "lost",
        "available": up,
        "configured": len(servers),
        "min_available": 1,
        "fallback": "127.0.0.1:80",
        "fallback_active": not up,
        "fail_open": False,
    }
    return {**known, "servers": [{**one, "service": name} for one in servers], **more}


def status(*services: dict[str, Any], unusual: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    servers = [one for each in services for one in each["servers"]]
    states = [one["state"] for one in servers]
    totals = {
        "services": len(services),
        "servers": len(servers),
        **{name: states.count(name) for name in ("up", "down", "unknown", "drain", "maintenance")},
        "fallback_active": sum(each["fallback_active"] for each in services),
        "lost": sum(each["standing"] == "lost" for each in services),
    }
    known = {
        "version": "0.1.0",
        "host": "lb1",
        "pid": 4711,
        "at": AT,
        "started": AT - 273_600,
        "uptime": 273_600.0,
        "generation": 1,
        "you": {"who": "root", "role": "operate"},
        "frozen": None,
        "table": {"kind": "kernel", "ok": True, "errors": [], "read_age": 3.0, "pending": []},
        "scheduler": {
            "jobs": 3,
            "checks": 812,
            "waiting": 0,
            "too_late": 0,
            "late_p50": 0.0004,
            "late_p99": 0.002,
            "late_longest": 0.01,
        },
        "history": {"ok": True, "error": ""},
        "alerts": [],
    }
    return {**known, "totals": totals, "unusual": list(unusual), "services": list(services), **more}
