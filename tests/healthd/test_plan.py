from __future__ import annotations

import dataclasses
import socket

from checkers.always import Always
from checkers.base import Target
from checkers.tcp import Tcp
from healthd.model import Endpoint, Protocol, ServiceKey
from healthd.plan import Change, JobId, diff, make
from tests.support.building import KEY, OTHER_KEY, A, B, check, config, server, service

SMTP = dataclasses.replace(check("smtp"), checker=Tcp(port=25))


def ids(*names: str) -> frozenset[JobId]:
    return frozenset(map(JobId, names))


def test_every_check_of_every_server_is_a_job() -> None:
    """A job's id is made of the names of service, server and check."""
    plan = make(config(service(A, B, checks=[check("tcp"), check("http")]), service(name="idle", key=OTHER_KEY)))
    assert list(plan.jobs) == [
        "web/10.0.0.1:80/tcp",
        "web/10.0.0.1:80/http",
        "web/10.0.0.2:80/tcp",
        "web/10.0.0.2:80/http",
    ]
    assert all(job_id == job.id for job_id, job in plan.jobs.items())
    assert plan.keys == {KEY, OTHER_KEY}


def test_a_target_says_whom_to_ask_and_on_whose_behalf() -> None:
    """Without more words a check asks the real server itself."""
    (job,) = make(config(service(A))).jobs.values()
    assert job.target == Target(
        address="10.0.0.1",
        port=80,
        service="web",
        server_address="10.0.0.1",
        server_port=80,
        virtual_address="192.168.7.110",
        virtual_port=80,
        fwmark=0,
        protocol="tcp",
    )


def test_a_check_may_ask_another_address_or_port() -> None:
    """What is asked differs from what the table has."""
    elsewhere = dataclasses.replace(check(), checker=Tcp(address="10.9.9.9", port=8080))
    (job,) = make(config(service(A, checks=[elsewhere]))).jobs.values()
    assert (job.target.where, job.target.server_address, job.target.server_port) == ("10.9.9.9:8080", "10.0.0.1", 80)


def test_a_service_by_mark_has_no_address() -> None:
    """A fwmark service's target has the mark, and neither virtual address nor protocol."""
    mark = ServiceKey.marked(10, socket.AF_INET6)
    (job,) = make(config(service(Endpoint("2001:db8::1", 0), key=mark, checks=[SMTP]))).jobs.values()
    assert job.target == Target(
        address="2001:db8::1",
        port=25,
        service="web",
        server_address="2001:db8::1",
        fwmark=10,
        protocol="fwmark",
    )
    assert job.id == "web/[2001:db8::1]:0/smtp"


def test_equal_configurations_differ_in_nothing() -> None:
    """A reload of the same files changes nothing."""
    assert diff(make(config(service(A))), make(config(service(A)))) == Change(*[frozenset()] * 6)


def test_a_diff_tells_added_removed_and_changed() -> None:
    """Services by name, jobs by id."""
    old = make(config(service(A, B, checks=[check("tcp"), check("http")]), service(A, name="old", key=OTHER_KEY)))
    key = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.112", 80))
    new = make(config(service(A, checks=[check("tcp", fall="5"), check("http")]), service(A, name="new", key=key)))
    change = diff(old, new)
    assert change == Change(
        services_added=frozenset({"new"}),
        services_removed=frozenset({"old"}),
        services_changed=frozenset({"web"}),
        jobs_added=ids("new/10.0.0.1:80/tcp"),
        jobs_removed=ids("old/10.0.0.1:80/tcp", "web/10.0.0.2:80/tcp", "web/10.0.0.2:80/http"),
        jobs_changed=ids("web/10.0.0.1:80/tcp"),
    )
    assert change.described() == ("service new added", "service old removed", "service web changed")


def test_a_changed_weight_changes_no_job() -> None:
    """What a check asks does not depend on the weight, so it goes on undisturbed."""
    change = diff(make(config(service(A))), make(config(service(server(A, 5)))))
    assert change.services_changed == {"web"}
    assert not change.jobs_changed | change.jobs_added | change.jobs_removed


def test_another_virtual_address_changes_the_jobs() -> None:
    """A script is told the virtual address, so it has to be asked anew."""
    change = diff(make(config(service(A))), make(config(service(A, key=OTHER_KEY))))
    assert change.jobs_changed == {"web/10.0.0.1:80/tcp"}


def test_equal_checkers_are_equal_jobs() -> None:
    """A configuration that is read again makes new objects, not new jobs."""
    one, other = (make(config(service(A, checks=[check(checker=Always(state="up"))]))) for _ in range(2))
    assert not diff(one, other).jobs_changed
