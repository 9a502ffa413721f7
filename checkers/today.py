"""The date, for what has one in the world, such as the end of a certificate. Whatever is measured is monotonic."""

import datetime as dt


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
