"""What LDAP servers answer, as pyasn1 is told of it, and no more of it than it has time for."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import decoder
from pyasn1.type import namedtype, univ
from pyasn1_modules import rfc2251

MOST_VALUES = 250
"""Elements, of BER, in one message: one for each value, and a few around them. Each takes some thirty microseconds."""

BIND_RESPONSE, ENTRY, SEARCH_DONE, REFERENCE, EXTENDED_RESPONSE = (
    "bindResponse",
    "searchResEntry",
    "searchResDone",
    "searchResRef",
    "extendedResp",
)


class NotLdapError(ValueError):
    """What was received cannot be an LDAPMessage."""


class TooManyError(NotLdapError):
    """It has more values than MOST_VALUES."""


class _Answer(univ.Sequence):  # type: ignore[misc] # pyasn1 ships no type information
    """An LDAPMessage with none of the requests, which nest without end."""

    componentType = namedtype.NamedTypes(  # noqa: N815 - pyasn1's name
        namedtype.NamedType("messageID", rfc2251.MessageID()),
        namedtype.NamedType(
            "protocolOp",
            univ.Choice(
                componentType=namedtype.NamedTypes(
                    namedtype.NamedType(BIND_RESPONSE, rfc2251.BindResponse()),
                    namedtype.NamedType(ENTRY, rfc2251.SearchResultEntry()),
                    namedtype.NamedType(SEARCH_DONE, rfc2251.SearchResultDone()),
                    namedtype.NamedType(REFERENCE, rfc2251.SearchResultReference()),
                    namedtype.NamedType(EXTENDED_RESPONSE, rfc2251.ExtendedResponse()),
                )
            ),
        ),
        rfc2251.LDAPMessage.componentType.namedTypes[2],  # controls
    )


ANSWER = _Answer()


class _Counting(decoder.SingleItemDecoder):  # type: ignore[misc] # as above
    """Is called once for every element."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._elements = 0

    def __call__(self, *args: Any, **options: Any) -> Any:
        self._elements += 1
        if self._elements > MOST_VALUES:
            raise TooManyError
        return super().__call__(*args, **options)


class Decoder(decoder.StreamingDecoder):  # type: ignore[misc] # as above
    SINGLE_ITEM_DECODER = _Counting
