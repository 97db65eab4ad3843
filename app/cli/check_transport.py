"""What `gateway check` finds where clients come in: the address, its certificate, its port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from app.cli.finding import Finding
from app.settings import Settings, is_loopback

_SOON: Final = timedelta(days=30)
_SECONDS: Final = 1.0


def check_transport(settings: Settings) -> Iterator[Finding]:
    """Look at the address, the certificate and the port."""
    yield _transport(settings)
    if settings.tls_cert and settings.tls_key:
        yield _certificate(settings, settings.tls_cert, settings.tls_key)
    yield _port(settings)


def _transport(settings: Settings) -> Finding:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        cure = "set both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or neither"
        return Finding("transport", "bad", "a certificate without its key, or a key without its certificate", cure)
    if settings.tls_cert or settings.trusted_proxies:
        return Finding("transport", "good", "TLS here or at a trusted proxy")
    if is_loopback(settings.host):
        return Finding("transport", "good", f"{settings.host} is local")
    cure = "set GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or GATEWAY_TRUSTED_PROXIES"
    return Finding("transport", "bad", f"{settings.host} is not local and has no TLS", cure)


def _certificate(settings: Settings, cert: Path, key: Path) -> Finding:
    subject = "certificate"
    try:
        found = x509.load_pem_x509_certificates(cert.read_bytes())[0]
        private = load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        cure = "see GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"
        return Finding(subject, "bad", f"the file {error.filename} cannot be read", cure)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        cure = "GATEWAY_TLS_CERT and GATEWAY_TLS_KEY name files in PEM, the key without a passphrase"
        return Finding(subject, "bad", f"{cert} or {key} holds none that can be used", cure)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if found.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        return Finding(subject, "bad", f"{key} is not the key of {cert}", "name the two that belong together")
    return _validity(found) or _names(settings, found)


def _validity(found: x509.Certificate) -> Finding | None:
    """Return what is wrong with a certificate's time, None where nothing is."""
    now, begin, end = datetime.now(UTC), found.not_valid_before_utc, found.not_valid_after_utc
    if now < begin:
        return Finding("certificate", "bad", f"it is good from {begin:%Y-%m-%d %H:%M} UTC on", "is the clock right?")
    if now > end:
        return Finding("certificate", "bad", f"it expired on {end:%Y-%m-%d %H:%M} UTC", "renew it, then start anew")
    if end - now < _SOON:
        told = f"it expires in {(end - now).days} days, on {end:%Y-%m-%d %H:%M} UTC"
        return Finding("certificate", "warning", told, "renew it, then start anew")
    return None


def _names(settings: Settings, found: x509.Certificate) -> Finding:
    """Hold the certificate's names against the address that clients use."""
    host = urlsplit(settings.public_url or "").hostname
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Finding("certificate", "bad", "it names no host, so no client takes it", "get one with subjectAltName")
    listed = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    wild = f"*.{host.partition('.')[2]}" if host else ""
    if host and host not in listed and wild not in listed:
        cure = "set GATEWAY_PUBLIC_URL to one of its names, or get another one"
        return Finding("certificate", "bad", f"it is for {', '.join(listed)}, and not for {host}", cure)
    end = found.not_valid_after_utc
    return Finding("certificate", "good", f"for {', '.join(listed)}, until {end:%Y-%m-%d}")


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as error:
        return _not_free(settings, address, error)
    return Finding("port", "good", f"{address} is free")


def _not_free(settings: Settings, address: str, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        if _is_gateway(settings):
            return Finding("port", "good", f"a gateway answers at {address}")
        return Finding("port", "warning", f"something else listens at {address}", "stop it or set GATEWAY_PORT")
    if error.errno == errno.EACCES:
        cure = "set GATEWAY_PORT to 1024 or more, or give the right (CAP_NET_BIND_SERVICE)"
        return Finding("port", "bad", f"this user may not listen at {address}", cure)
    cure = "set GATEWAY_HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0"
    return Finding("port", "bad", f"{address} is no address to listen at", cure)


def _is_gateway(settings: Settings) -> bool:
    """Tell whether a gateway answers there."""
    import httpx2

    try:
        with httpx2.Client(verify=False, timeout=_SECONDS) as client:
            return client.get(f"{settings.local_url()}/health/live").text == '{"status":"live"}'
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
