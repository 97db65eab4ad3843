"""OpenAPI's view of OAuth 2.0: the token endpoint, the public keys, what the issuer can, the security schemes."""

from __future__ import annotations

from typing import Any, Final

from app.auth.client_authentication import METHODS
from app.auth.key_ring import ALGORITHM, TOKEN_SECONDS
from app.auth.oauth import GRANT, JWKS_MEDIA, JWKS_PATH, METADATA_PATH, TOKEN_PATH
from app.auth.token_form import FORM
from app.rest.answers import headers, problem_answers
from app.rest.call import JSON
from app.rest.shapes import Schema, closed_object, open_object, ref
from resolvers import problems as p
from resolvers.context import ALL_SCOPES, Scope

Document = dict[str, Any]

_EVERY: Final = (p.RATE_LIMITED, p.METHOD_NOT_ALLOWED, p.URI_TOO_LONG, p.HEADERS_TOO_LARGE, p.INTERNAL_ERROR)
_ERRORS: Final = ("invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope")
_TEXT: Final = {"type": "string", "maxLength": 4096}
_URL: Final = {"type": "string", "format": "uri", "maxLength": 2000}
_PART: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "maxLength": 43}
_ISSUER: Final = "https://api.example.com"
_ALLOWS: Final = {
    Scope.READ: "Get and list customers.",
    Scope.WRITE: "Create, replace and change customers.",
    Scope.DELETE: "Erase customers.",
    Scope.ADMIN: "Administer the gateway.",
}
_ASKED: Final = {
    "grant_type": GRANT,
    "scope": "customers:read customers:write",
    "client_id": "client_7hQ2Zt1mXk9VbN4cR",
    "client_secret": "cgs_…",
}
_TOKEN: Final = {
    "access_token": "eyJ…",
    "token_type": "Bearer",
    "expires_in": TOKEN_SECONDS,
    "scope": "customers:read customers:write",
}
_KEY: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "wXZ4-olF8yJhxN4FyLo7fBuwWeKPaeegs_7ExmMINRw",
    "y": "QvYucs-sq6O-pzhuNpWYsdMSsfZFCIdeFm4Bc5qHxps",
    "use": "sig",
    "alg": ALGORITHM,
    "kid": "bfoJp3kmLxpeZ18cIZ1VkvlCIRTjigDChfLdEIq0Ma4",
}
_METADATA: Final = {
    "issuer": _ISSUER,
    "token_endpoint": _ISSUER + TOKEN_PATH,
    "jwks_uri": _ISSUER + JWKS_PATH,
    "service_documentation": f"{_ISSUER}/docs",
    "scopes_supported": list(ALL_SCOPES),
    "response_types_supported": [],
    "grant_types_supported": [GRANT],
    "token_endpoint_auth_methods_supported": list(METHODS),
}


def oauth_security() -> Document:
    """Return the security schemes of tokens: any that is good here, and how the gateway's own are had."""
    flow = {"tokenUrl": TOKEN_PATH, "scopes": {scope.value: said for scope, said in _ALLOWS.items()}}
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, the gateway's own or of the issuer that is set, checked as RFC8725 asks.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "Client id and client secret of an API key, for a JWT that is checked as RFC8725 asks.",
            "flows": {"clientCredentials": flow},
        },
    }


def oauth_schemas() -> dict[str, Schema]:
    """Return the schemas of what is sent and answered."""
    names = {"type": "array", "items": _TEXT, "maxItems": 20}
    metadata = {name: _URL if isinstance(value, str) else names for name, value in _METADATA.items()}
    return {
        "TokenRequest": _token_request(),
        "Token": closed_object(
            {
                "access_token": {**_TEXT, "description": "A JWT (RFC 9068)."},
                "token_type": {"type": "string", "enum": ["Bearer"]},
                "expires_in": {"type": "integer", "format": "int32", "minimum": 1, "maximum": TOKEN_SECONDS},
                "scope": {**_TEXT, "description": "What the token allows."},
            },
            "An access token (RFC 6749 section 5.1).",
        ),
        "OAuthError": open_object(
            {"error": {"type": "string", "enum": list(_ERRORS)}, "error_description": _TEXT},
            "A refusal (RFC 6749 section 5.2).",
            "error_description",
        ),
        "SigningKeys": closed_object(
            {"keys": {"type": "array", "items": _key(), "maxItems": 100}}, "Public keys (RFC 7517 section 5)."
        ),
        "IssuerMetadata": open_object(metadata, "What the issuer can (RFC 8414)."),
    }


def _token_request() -> Schema:
    return open_object(
        {
            "grant_type": {"type": "string", "enum": [GRANT]},
            "scope": {**_TEXT, "description": "Scopes, separated by blanks; all of the key's where left out."},
            "client_id": {**_TEXT, "description": "The client id, where there is no `Authorization` header."},
            "client_secret": {**_TEXT, "description": "The client secret, where there is no such header."},
        },
        "A token request (RFC 6749 section 4.4.2).",
        "scope",
        "client_id",
        "client_secret",
    )


def _key() -> Schema:
    constants = {name: {"type": "string", "enum": [_KEY[name]]} for name in ("kty", "crv", "use", "alg")}
    return closed_object({**constants, "x": _PART, "y": _PART, "kid": _PART}, "One public key (RFC 7518 section 6.2).")


def oauth_paths() -> Document:
    """Return the path items."""
    return {TOKEN_PATH: {"post": _token()}, JWKS_PATH: {"get": _jwks()}, METADATA_PATH: {"get": _metadata()}}


def _token() -> Document:
    good = {
        "description": "Whoever has the token may use it until it expires, or its API key ends.",
        "headers": headers("Pragma"),
        "content": _example(JSON, "Token", _TOKEN),
    }
    problems = (*_EVERY, p.REQUEST_TIMEOUT, p.BODY_TOO_LARGE, p.UNSUPPORTED_MEDIA_TYPE, p.UNAVAILABLE, p.OVERLOADED)
    return {
        "operationId": "postToken",
        "summary": "Get an access token",
        "description": "Client credentials alone. The client is an API key: send its client id and client secret as "
        "Basic credentials, or in the body, not both.",
        "tags": ["OAuth"],
        "security": [{"basic": []}, {}],
        "requestBody": {"required": True, "content": _example(FORM, "TokenRequest", _ASKED)},
        "responses": {
            "200": good,
            "400": _refusal("The request is not good, or asks for more than the key has.", "invalid_scope"),
            "401": _refusal("No such client, or another secret.", "invalid_client", "WWW-Authenticate"),
            **problem_answers(problems, TOKEN_PATH),
        },
    }


def _refusal(description: str, error: str, *names: str) -> Document:
    content = _example(JSON, "OAuthError", {"error": error, "error_description": "What is wrong, for people."})
    return {"description": description, "headers": headers("Pragma", *names), "content": content}


def _jwks() -> Document:
    good = {
        "description": "The keys by which tokens are verified, newest first.",
        "headers": headers("ETag"),
        "content": _example(JWKS_MEDIA, "SigningKeys", {"keys": [_KEY]}),
    }
    return {
        "operationId": "getJwks",
        "summary": "Get the public keys",
        "description": "Public: needs no credentials. A key stands here an hour at the least before it signs.",
        "tags": ["OAuth"],
        "security": [],
        "parameters": [{"$ref": "#/components/parameters/IfNoneMatch"}],
        "responses": {
            "200": good,
            "304": {"description": "Not modified.", "headers": headers("ETag")},
            **problem_answers((*_EVERY, p.UNAVAILABLE), JWKS_PATH),
        },
    }


def _metadata() -> Document:
    content = _example(JSON, "IssuerMetadata", _METADATA)
    return {
        "operationId": "getIssuerMetadata",
        "summary": "Find out what the issuer can",
        "description": "Public: needs no credentials.",
        "tags": ["OAuth"],
        "security": [],
        "responses": {
            "200": {"description": "Here it is.", "headers": headers(), "content": content},
            **problem_answers(_EVERY, METADATA_PATH),
        },
    }


def _example(media: str, schema: str, value: Document) -> Document:
    return {media: {"schema": ref(schema), "examples": {"example": {"summary": schema, "value": value}}}}
