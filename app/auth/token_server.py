"""Authlib's authorization server for one token request, whose client and key are known already.

Authlib is synchronous; with all that needs the store found before, nothing here waits, and so it needs no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator

from storage.keys import KeyRecord

_ADDRESS: Final = "https://localhost/oauth/token"
"""Authlib asks for HTTPS by the address; here `gateway serve` does, which knows of proxies."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """An answer of the token endpoint (RFC 6749 sections 5.1 and 5.2)."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Grants client credentials to one client; `access_token` makes the token for a scope."""

    def __init__(self, record: KeyRecord, seconds: int, access_token: Callable[[str], str]) -> None:
        super().__init__()
        self._client = _Client(record)

        def generate(*, scope: str, **_known: object) -> str:
            return access_token(scope)

        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator("default", BearerTokenGenerator(generate, expires_generator=seconds))

    def answer(self, form: Mapping[str, str]) -> TokenAnswer:
        """Answer a token request of the client."""
        request = OAuth2Request("POST", _ADDRESS)
        request.payload = BasicOAuth2Payload(form)
        answer: TokenAnswer = self.create_token_response(request)
        return answer

    def authenticate_client(self, request: object, methods: object, endpoint: str = "token") -> _Client:  # noqa: ARG002
        """Return the client, which has been authenticated."""
        return self._client

    def save_token(self, token: object, request: object) -> None:
        """Keep nothing: the token says all of itself."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """Return the request, which is Authlib's own already."""
        return request

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Iterable[tuple[str, str]]) -> TokenAnswer:
        """Return an answer of Authlib's in our form."""
        return TokenAnswer(status, body, dict(headers))


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """An API key as Authlib sees a client."""

    def __init__(self, record: KeyRecord) -> None:
        self._record = record

    def get_client_id(self) -> str:
        return self._record.clientId

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the scope asked for, else all of the key's; None, which refuses, where the key has it not."""
        own = self._record.scopes
        asked = own if scope is None else tuple(dict.fromkeys(scope.split(" ")))
        return " ".join(asked) if asked and set(asked) <= set(own) else None
