"""How does the requester get his own ids back? They travel with the record, sealed, and ``response`` alone opens them.

A header (:data:`forebay.contract.headers.IDS`) and not an entry of the vault: every answer has it, also of a request
without personal data, of one that was rejected, and of one that failed because Redis was away. It costs 20 µs and no
round trip, where a write and a read of Redis cost ten times that. The price: who is erased can still be named by
whoever holds the vault's key *and* reads the inner topics, until those forget (7 days, dead letters 30). The sealed
dead letters of ``requests`` were never less than that, and ``forebay erase`` says so.

The seal is bound to the request, and what it holds must be called what the record calls it: a header that was put on
somebody else's answer gives nothing away.
"""

import base64
import json
import os
from dataclasses import dataclass, replace
from typing import Any

from forebay.contract import headers as h
from forebay.contract.records import Request
from forebay.privacy.people.names import Names, needed_names
from forebay.privacy.sealing import Keyring, SealError
from forebay.settings import IdentitySettings, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A request as all stages behind redaction know it, and the header that brings its ids back."""

    request: Request
    headers: dict[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ids:
    """What an application called its user and conversation."""

    user_id: str
    conversation_id: str | None


class TravellingIds:
    """Takes ids off requests and puts them back on responses.

    Args:
        keyring: the vault's; seals them.
        names: what is there instead.
        pseudonymise: if not, requests stay as they are, and what still travels is opened.
    """

    def __init__(self, keyring: Keyring, names: Names, *, pseudonymise: bool = True) -> None:
        self._keyring = keyring
        self._names = names
        self._pseudonymise = pseudonymise

    @classmethod
    def of_this_process(cls) -> "TravellingIds":
        """For who has no keys: nothing is called as it is, and nobody else brings the ids back."""
        return cls(Keyring({"process": os.urandom(32)}), Names(os.urandom(32)))

    def taken_off(self, request: Request, request_id: str) -> Named:
        """``request`` with pseudonyms; its ids are bound to ``request_id``, under which it is answered."""
        user, conversation = request.user_id, request.conversation_id
        if not self._pseudonymise:
            return Named(request=request, headers={})
        named = self._names.user(request.tenant_id, user)
        if named == user and conversation is None:
            return Named(request=request, headers={})
        called = None if conversation is None else self._names.conversation(request.tenant_id, conversation)
        ids = json.dumps([user, conversation], ensure_ascii=False).encode("utf-8", "surrogatepass")
        sealed = self._keyring.seal(ids, _context(request.tenant_id, request_id))
        return Named(
            request=replace(request, user_id=named, conversation_id=called),
            headers={h.IDS: base64.b64encode(sealed)},
        )

    def put_back(self, headers: h.Headers, tenant_id: str, request_id: str, called: Ids) -> Ids:
        """The ids of whom a record calls ``called``; those themselves where none travel with it, or another's.

        Of a completion without its request nobody knows what its conversation is called: that comes back with the user.
        """
        if h.IDS not in headers:
            return called
        try:
            sealed = base64.b64decode(headers[h.IDS], validate=True)
            user, conversation = _ids(self._keyring.open(sealed, _context(tenant_id, request_id)))
        except (SealError, ValueError):
            return called
        if self._names.user(tenant_id, user) != called.user_id:
            return called
        if conversation is None or called.conversation_id is None:
            return Ids(user_id=user, conversation_id=conversation)
        same = self._names.conversation(tenant_id, conversation) == called.conversation_id
        return Ids(user_id=user, conversation_id=conversation if same else called.conversation_id)


def open_ids(settings: Settings, keyring: Keyring) -> TravellingIds:
    """As the settings say. Raises :class:`forebay.settings.ConfigurationError`."""
    return TravellingIds(keyring, needed_names(settings), pseudonymise=settings[IdentitySettings].pseudonymise_ids)


def _ids(opened: bytes) -> tuple[str, str | None]:
    found: Any = json.loads(opened.decode("utf-8", "surrogatepass"))
    user, conversation = found
    return user, conversation


def _context(tenant_id: str, request_id: str) -> str:
    return f"ids/{len(tenant_id)}:{tenant_id}/{request_id}"
