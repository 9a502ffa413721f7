"""Starting programs from a process that has raised its limits, or where descriptors and processes have run out."""

import subprocess
import sys
import textwrap


def in_a_process_of_its_own(body: str) -> list[str]:
    """The lines that `body`, the inside of a coroutine, prints in a fresh interpreter."""
    head = "import asyncio, os, resource, sys\nfrom checkers import process\nasync def main():\n"
    code = head + textwrap.indent(textwrap.dedent(body), "    ") + "\nasyncio.run(main())\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_out_of_descriptors() -> None:
    """Wherever in starting a program the descriptors end, it is an EMFILE, and none is lost."""
    lines = in_a_process_of_its_own("""
        async def attempt():
            try:
                return await process.run(["/bin/sh", "-c", "exit 5"], environment={}, stdin=b"{}")
            except OSError as error:
                return process.explain(error, "it")
        await attempt()  # what is imported on the way is imported now
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = len(os.listdir("/proc/self/fd")) - 1
        for spare in range(10):
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
            print(await attempt())
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        print(len(os.listdir("/proc/self/fd")) - 1 - used)
    """)
    failed = "cannot start it: Too many open files (EMFILE)"
    ended = "Ended(status=5, output=b'')"
    assert lines[0] == failed
    assert lines[9] == ended
    assert lines[:10] == lines.count(failed) * [failed] + lines.count(ended) * [ended]
    assert lines[10] == "0"


def test_out_of_processes() -> None:
    """A fork that the kernel refuses is an EAGAIN, not a crash."""
    lines = in_a_process_of_its_own("""
        await process.run(["/bin/true"], environment={})
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)  # root is exempt from the limit
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            await process.run(["/bin/true"], environment={})
        except OSError as error:
            print(process.explain(error, "it"))
    """)
    assert lines == ["cannot start it: Resource temporarily unavailable (EAGAIN)"]


def test_a_raised_limit_of_open_files_is_not_inherited() -> None:
    """A program finds the soft limit that this process was started with, the hard one as it is, and so it stays here.

    Thousands of descriptors open here are in nobody's way.
    """
    lines = in_a_process_of_its_own("""
        from healthd import descriptors
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096))
        descriptors.raise_limit()
        opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(1000)]
        for stdin in (b"", b"{}"):
            ended = await process.run(["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"], environment={}, stdin=stdin)
            print(ended.output.decode(), end="")
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """)
    assert lines == ["64", "4096", "64", "4096", "(4096, 4096)"]


def test_a_limit_below_the_usual_one_is_inherited() -> None:
    """Somebody has lowered it since (prlimit): nobody raises it again for a program."""
    lines = in_a_process_of_its_own("""
        from healthd import descriptors
        descriptors.raise_limit(1024)
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 4096))
        print((await process.run(["/bin/sh", "-c", "ulimit -Sn"], environment={})).output.decode(), end="")
    """)
    assert lines == ["60"]


def test_a_usual_limit_can_be_told() -> None:
    """In a worker, whose parent has raised its own before it started the worker."""
    lines = in_a_process_of_its_own("""
        from healthd import descriptors
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        descriptors.raise_limit(50)
        print((await process.run(["/bin/sh", "-c", "ulimit -Sn"], environment={})).output.decode(), end="")
        print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
    """)
    assert lines == ["50", "True"]


def test_without_standard_descriptors() -> None:
    """A process that was started with some of them closed gives its programs all three, each in its place."""
    lines = in_a_process_of_its_own("""
        told = os.dup(1)
        for closed in ((0,), (1, 2), (0, 1, 2)):
            for number in closed:
                os.close(number)
            script = "cat; echo out; echo err >&2"
            ended = await process.run(["/bin/sh", "-c", script], environment={}, stdin=b"in ")
            os.write(told, ended.output.replace(b"\\n", b" ") + b"\\n")
            for number in closed:
                os.dup2(told, number)
    """)
    assert lines == 3 * ["in out err "]
