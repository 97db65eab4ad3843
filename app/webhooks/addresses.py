"""What a name means now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_THREADS: Final = 32
"""How many names are looked up at once: the system's look-up blocks, and one that hangs must not keep the others."""


class Names:
    """Looks names up by the system's own means, in threads of its own. To be closed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    async def look_up(self, host: str) -> Sequence[str]:
        """Return the addresses of a name, each once; raises OSError where it has none."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Begin no more looks; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name can have
        raise OSError("no such name") from error
    return [str(address[0]) for *_, address in found]
