"""One HTTP/1.1 request and as much of its answer as the expectation looks at."""

from checkers import net
from checkers.base import Trace
from checkers.http_answer import Answer, read_body, read_head
from checkers.http_judge import Expectation


async def exchange(stream: net.Stream, trace: Trace, request: bytes, expected: Expectation) -> Answer:
    """Sends `request` and reads the head of the answer; the body only where it is looked at, and then no further.

    Raises:
        Failed: no answer, not HTTP, or one that is too long, broken or cut short.

    """
    answer = Answer(expected.max_body)
    await stream.send(request)
    try:
        await read_head(stream, trace, answer)
        if expected.wants_body and answer.status in expected.accepted:
            await read_body(stream, trace, answer, expected.until)
    finally:
        answer.let_go()
    return answer
