import asyncio
import errno
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from checkers import process
from tests.support.processes import PATIENCE, children, descriptors, running, running_in, until

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


async def sh(script: str, *, stdin: bytes = b"", keep: int = process.KEEP) -> process.Ended:
    return await process.run(["sh", "-c", script], environment=ENVIRONMENT, stdin=stdin, keep=keep)


async def test_exit_status_and_output_are_returned() -> None:
    """stdout and stderr arrive in one stream, in the order written."""
    ended = await sh("echo one; echo two >&2; echo three; exit 7")
    assert ended == process.Ended(7, b"one\ntwo\nthree\n")
    assert ended.how == "exit status 7"


@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGSEGV, "killed by SIGSEGV (Segmentation fault)"),
        (signal.SIGKILL, "killed by SIGKILL (Killed)"),
        (40, "killed by signal 40 (Real-time signal 6)"),
    ],
)
async def test_a_signal_is_named(number: int, how: str) -> None:
    """A death by signal is a negative status and has its name, also where the signal has none."""
    ended = await sh(f"ulimit -c 0; kill -{int(number)} $$")
    assert ended.status == -number
    assert ended.how == how


async def test_standard_input() -> None:
    """All of it can be read, more than a pipe would hold too; and without any, it is /dev/null."""
    data = b"x" * 200_000 + b"end"
    assert (await sh("wc -c; tail -c 3 /dev/stdin", stdin=data)).output.split() == [b"200003", b"end"]
    assert (await sh("readlink /proc/self/fd/0")).output == b"/dev/null\n"


async def test_standard_input_need_not_be_read() -> None:
    """A program that does not read its input ends as if there were none."""
    assert (await sh("exit 3", stdin=b"x" * 1_000_000)).status == 3


async def test_output_is_bounded() -> None:
    """The beginning is kept, the rest is thrown away, and the program is not blocked by it."""
    ended = await sh("echo start; head -c 20000000 /dev/zero; exit 4", keep=8)
    assert ended == process.Ended(4, b"start\n\0\0")


async def test_the_output_pipe_is_an_ordinary_blocking_one() -> None:
    """A program finds its output as a shell would give it, not in non-blocking mode."""
    script = "import os; print(os.get_blocking(1), os.get_blocking(2))"
    ended = await process.run([sys.executable, "-c", script], environment=ENVIRONMENT)
    assert ended.output == b"True True\n"


async def test_no_descriptor_is_inherited() -> None:
    """The program has its three standard descriptors, and nothing of healthd's sockets and netlink."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - the standard library's call
    ended = await sh("ls /proc/self/fd")  # the fourth is that of ls reading the folder
    os.close(reading)
    os.close(writing)
    assert ended.output.split() == [b"0", b"1", b"2", b"3"]


async def test_a_child_holding_the_output_open_delays_nothing(tmp_path: Path) -> None:
    """The result is there when the program ends; what it left in the background is killed."""
    pid = tmp_path / "pid"
    began = asyncio.get_running_loop().time()
    ended = await sh(f"sleep 600 & echo $! > {pid}; echo done")
    assert asyncio.get_running_loop().time() - began < PATIENCE
    assert ended == process.Ended(0, b"done\n")
    child = int(pid.read_text())
    await until(lambda: child not in running())


async def test_cancelling_kills_the_whole_group(tmp_path: Path) -> None:
    """Neither a program that ignores SIGTERM nor its children that do outlive a cancellation."""
    pids = tmp_path / "pids"
    stubborn = f'trap "" TERM HUP INT; echo $$ >> {pids}; while :; do sleep 600; done'
    task = asyncio.create_task(sh(f"sh -c '{stubborn}' & sh -c '{stubborn}' & {stubborn}"))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    numbers = {int(number) for number in pids.read_text().split()}
    (leader,) = numbers & set(children())
    assert numbers <= set(running_in(leader))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not running_in(leader))
    assert leader not in children()


async def test_cancelling_before_it_has_begun_to_wait() -> None:
    """A cancellation that comes at once leaves nothing either."""
    before = descriptors()
    task = asyncio.create_task(sh("sleep 600"))
    await asyncio.sleep(0)
    (leader,) = children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: (running_in(leader), children(), descriptors()) == ([], [], before))


async def test_cancelling_twice() -> None:
    """Whoever loses patience while a killed program is waited for leaves no zombie and no descriptor either."""
    before = descriptors()
    task = asyncio.create_task(sh("sleep 600"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not children() and descriptors() == before)


async def test_fifty_at_once_leave_nothing_behind() -> None:
    """Ended, cancelled or not started: no zombie and no descriptor remains."""
    before = descriptors()

    async def one(number: int) -> object:
        match number % 5:
            case 0:
                return await process.run(["/does/not/exist"], environment={})
            case 1:
                async with asyncio.timeout(0.2):
                    return await sh("sleep 600 & sleep 600", stdin=b"{}")
            case _:
                return await sh("echo x; exit 1", stdin=b"{}")

    results = await asyncio.gather(*(one(number) for number in range(50)), return_exceptions=True)
    assert [type(result) for result in results] == 10 * [FileNotFoundError, TimeoutError, *3 * [process.Ended]]
    await until(lambda: (children(), descriptors()) == ([], before))  # one that is killed may take its time to die


def program(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


async def test_why_it_could_not_be_started(tmp_path: Path) -> None:
    """Each cause has its errno, the path, and what to look at."""
    missing = f"{tmp_path}/missing"
    no_interpreter = program(tmp_path / "no-interpreter", "#!/does/not/exist\n")
    empty = program(tmp_path / "empty", "")
    plain = program(tmp_path / "plain", "#!/bin/sh\n", stat.S_IRUSR)
    expected = {
        missing: f"cannot start {missing}: No such file or directory (ENOENT)",
        "no-such-program": "cannot start no-such-program: No such file or directory (ENOENT)",
        no_interpreter: f"cannot start {no_interpreter}: No such file or directory (ENOENT); "
        "the file is there, the interpreter that its first line (#!) names is not",
        empty: f"cannot start {empty}: Exec format error (ENOEXEC); "
        "a script's first line must name its interpreter, as in #!/bin/sh",
        plain: f"cannot start {plain}: Permission denied (EACCES); is it a file, and executable?",
        str(tmp_path): f"cannot start {tmp_path}: Permission denied (EACCES); is it a file, and executable?",
    }
    for name, text in expected.items():
        with pytest.raises(OSError) as caught:  # noqa: PT011 - explain() is what tells them apart
            await process.run([name], environment=ENVIRONMENT)
        assert process.explain(caught.value, name) == text


async def test_a_name_is_looked_up_in_the_given_path(tmp_path: Path) -> None:
    """The PATH that counts is the one that the program will see."""
    program(tmp_path / "greet", "#!/bin/sh\necho hello\n")
    assert (await process.run(["greet"], environment={"PATH": str(tmp_path)})).output == b"hello\n"


async def test_what_cannot_be_run_hides_nothing_further_on_in_the_path(tmp_path: Path) -> None:
    """As execvp(3): the first that can be run is, and what could not be counts only when there is none."""
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second):
        folder.mkdir()
    program(first / "greet", "#!/bin/sh\n", stat.S_IRUSR)
    program(second / "greet", "#!/bin/sh\necho hello\n")
    assert (await process.run(["greet"], environment={"PATH": f"{third}:{first}:{second}"})).output == b"hello\n"
    with pytest.raises(PermissionError):
        await process.run(["greet"], environment={"PATH": f"{first}:{third}"})


async def test_a_status_that_somebody_else_took() -> None:
    """A plugin that reaps every child: that is no success of the program, and said."""
    running = asyncio.create_task(sh("exit 0"))
    await asyncio.sleep(0)
    (number,) = children()
    os.waitpid(number, 0)  # noqa: ASYNC222 - it ends at once
    with pytest.raises(process.LostError, match="status was taken by other code") as caught:
        await running
    assert caught.value.errno == errno.ECHILD


async def test_sigchld_ignored() -> None:
    """With SIGCHLD ignored no status can be had: that is said, not taken for status 0."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(OSError, match="SIGCHLD is ignored") as caught:
            await sh("exit 1")
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert caught.value.errno == errno.ECHILD


async def test_a_program_that_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no pidfd is to be had the program that has begun is killed and reaped; the error says that it had begun."""

    def refuse(number: int) -> int:
        raise OSError(errno.ENFILE, "Too many open files in system")

    before = descriptors()
    monkeypatch.setattr(os, "pidfd_open", refuse)
    with pytest.raises(process.LostError, match="Too many open files in system"):
        await sh("sleep 600")
    assert (children(), descriptors()) == ([], before)
