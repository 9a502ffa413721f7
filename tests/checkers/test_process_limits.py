"""Starting programs where descriptors and processes have run out."""

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
