"""What is said on one socket: its messages, its operations, and the codes with which it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import structlog
from graphql import ExecutionResult, OperationType
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.graphql.answer import as_json, formatted_error, log_internal, result_body, told
from app.graphql.preparing import prepared
from app.graphql.request import checked_request
from app.http.admission import CREDENTIALS, authenticated, charge, pay
from app.http.body import parse_json
from app.http.deprecation import count
from app.http.heads import Heads, heads_of
from app.http.requests import base_url, request_id, state_of
from resolvers.context import Caller, Context
from resolvers.problem import Problem
from resolvers.problems import GRAPHQL_LIMIT, INTERNAL_ERROR
from resolvers.problems import UNAUTHORIZED as BAD_CREDENTIALS
from schema.documents import DocumentErrors, Operation
from schema.subscriptions import Watching

PROTOCOL: Final = "graphql-transport-ws"
INIT_SECONDS: Final = 10.0
MAX_OPERATIONS: Final = 100
MAX_MESSAGE: Final = 65_536
"""Bytes of a message; the server closes a socket that sends a longer one (1009)."""
_MAX_ID: Final = 256
_IDLE_SECONDS: Final = 3600.0

TRY_LATER: Final = 1013
"""IANA's WebSocket Close Code Number Registry: an outage, or a limit, says nothing of the credentials."""
BAD_REQUEST: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
BAD_PROTOCOL: Final = 4406
INIT_TIMEOUT: Final = 4408
TAKEN: Final = 4409
INIT_AGAIN: Final = 4429

Json = dict[str, Any]


class Closing(Exception):
    """Ends the socket with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Conversation:
    """One socket from its opening to its end, with all operations on it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._state = socket, state_of(socket)
        self._caller: Caller | None = None
        self._greeted = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._contexts: dict[int, Context] = {}
        self._watching: set[Watching] = set()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stack = ExitStack()
        self._answers: Mapping[str, Callable[[Json, int], Awaitable[None]]] = {
            "connection_init": self._greet,
            "ping": self._pong,
            "pong": self._nothing,
            "subscribe": self._subscribe,
            "complete": self._complete,
        }

    async def run(self) -> None:
        """Speak until either side ends it."""
        spoken = PROTOCOL in self._socket.scope["subprotocols"]
        await self._socket.accept(PROTOCOL if spoken else None)
        try:
            with self._stack:
                if not spoken:
                    raise Closing(BAD_PROTOCOL, "Subprotocol not acceptable")
                await self._listen()
        except Closing as closing:
            await self._close(closing)
        except WebSocketDisconnect:
            return
        finally:
            await self._end_operations()

    async def _listen(self) -> None:
        deadline = asyncio.get_running_loop().time() + INIT_SECONDS
        while True:
            receiving = asyncio.create_task(self._socket.receive())
            left = None if self._caller else deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait((receiving, self._ended), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived = receiving.done()
                receiving.cancel()
            if self._ended.done():
                raise Closing(FORBIDDEN, "Forbidden")
            if not arrived:
                raise Closing(INIT_TIMEOUT, "Connection initialisation timeout")
            if (message := receiving.result())["type"] == "websocket.disconnect":
                return
            await self._hear(message)

    async def _hear(self, message: Message) -> None:
        raw = (message.get("text") or "").encode("utf-8", "surrogatepass")
        if not raw or len(raw) > MAX_MESSAGE:
            raise Closing(BAD_REQUEST, f"Messages are text of at most {MAX_MESSAGE} bytes")
        try:
            said = parse_json(raw)
        except Problem as problem:
            raise Closing(BAD_REQUEST, "Messages are JSON") from problem
        kind = said.get("type") if isinstance(said, dict) else None
        answer = self._answers.get(kind) if isinstance(kind, str) else None
        if answer is None or not isinstance(said, dict):
            raise Closing(BAD_REQUEST, "Messages are objects with a type of the protocol")
        payload = said.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise Closing(BAD_REQUEST, "A payload is an object")
        await answer(said, len(raw))

    async def _greet(self, said: Json, _size: int) -> None:
        if self._greeted:
            raise Closing(INIT_AGAIN, "Too many initialisation requests")
        self._greeted = True
        heads = _credentials(said.get("payload") or {}) or heads_of(self._socket.scope)
        try:
            async with asyncio.timeout(self._state.settings.request_timeout):
                caller = self._state.authenticator.remembered(heads) or await authenticated(self._socket, heads)
        except (Problem, TimeoutError) as error:
            if isinstance(error, Problem) and error.type is BAD_CREDENTIALS:
                raise Closing(FORBIDDEN, "Forbidden") from error
            raise Closing(TRY_LATER, "Credentials cannot be checked now") from error
        if caller is None:
            raise Closing(FORBIDDEN, "Forbidden")
        self._caller = caller
        self._socket.scope["caller_id"] = caller.id
        self._stack.enter_context(self._state.standings.kept(heads, self._renew, self._revoke))
        await self._send({"type": "connection_ack"})

    async def _pong(self, said: Json, _size: int) -> None:
        payload = {"payload": said["payload"]} if said.get("payload") is not None else {}
        await self._send({"type": "pong", **payload})

    async def _nothing(self, said: Json, size: int) -> None:
        """Take a message that asks for nothing."""

    async def _subscribe(self, said: Json, size: int) -> None:
        if self._caller is None:
            raise Closing(UNAUTHORIZED, "Unauthorized")
        name, payload = _id(said), said.get("payload")
        if payload is None or not (isinstance(payload.get("query"), str) or payload.get("extensions")):
            raise Closing(BAD_REQUEST, "A subscribe has a payload with a document, or the hash of one")
        if name in self._running:
            raise Closing(TAKEN, f"Subscriber for {name[:64]} already exists")
        if len(self._running) >= MAX_OPERATIONS:
            problem = Problem(GRAPHQL_LIMIT, f"A socket has at most {MAX_OPERATIONS} operations at a time.")
            await self._send({"id": name, "type": "error", "payload": [told(self._socket, problem)]})
            return
        self._running[name] = asyncio.create_task(self._operate(name, payload, size), name="operation")

    async def _complete(self, said: Json, _size: int) -> None:
        task = self._running.pop(_id(said), None)
        if task is not None:
            task.cancel()

    async def _operate(self, name: str, payload: Json, size: int) -> None:
        """Run one operation; whatever is wrong with it is told to it alone."""
        socket = self._socket
        ctx = Context(self._state.services, self._caller, request_id(socket), "graphql", base_url=base_url(socket))
        self._contexts[id(ctx)] = ctx
        try:
            errors = await self._run(name, ctx, payload, size)
        except Problem as problem:
            errors = [told(self._socket, problem)]
        except DocumentErrors as fault:
            errors = [formatted_error(self._socket, error) for error in fault.errors]
        except Exception as error:  # noqa: BLE001 - the last border of an operation: logged, and never shown
            self._state.log.failure(self._socket.scope, error)
            errors = [told(self._socket, Problem(INTERNAL_ERROR, "Something went wrong in the gateway."))]
        finally:
            self._contexts.pop(id(ctx), None)
        self._running.pop(name, None)
        end = {"type": "error", "payload": errors} if errors else {"type": "complete"}
        await self._send({"id": name, **end})

    async def _run(self, name: str, ctx: Context, payload: Json, size: int) -> list[Json]:
        """Tell the results of an operation; return what kept it from running."""
        state = self._state
        asked = checked_request(payload, state.settings.graphql_max_variables, size)
        operation = await prepared(self._socket, asked)
        price = operation.price(asked.variables)
        if operation.uses is not None:
            count(self._socket, ctx, operation.uses.of(asked.variables))
        ctx.budgets = await charge(self._socket, ctx.caller)
        await pay(self._socket, ctx, price.units)
        if operation.type is OperationType.SUBSCRIPTION:
            return await self._watch(name, operation, asked.variables, ctx)
        result = await state.graphql.run(operation, asked.variables, ctx)
        ctx.forget_pages()
        if result.data is None and not any(error.path for error in result.errors or ()):
            return [formatted_error(self._socket, error) for error in result.errors or ()]
        await self._tell(name, result)
        return []

    async def _watch(self, name: str, operation: Operation, variables: Mapping[str, Any], ctx: Context) -> list[Json]:
        watching = await self._state.graphql.watch(operation, variables, ctx)
        if isinstance(watching, ExecutionResult):
            log_internal(self._socket, watching.errors or ())
            return [formatted_error(self._socket, error) for error in watching.errors or ()]
        self._watching.add(watching)
        watching.renewed()  # the caller may have become another one while it was opened
        try:
            with self._state.metrics.stream("websocket"):
                while True:
                    for one in await watching.several(_IDLE_SECONDS):
                        await self._tell(name, one.result)
        finally:
            self._watching.discard(watching)
            await watching.aclose()

    async def _tell(self, name: str, result: ExecutionResult) -> None:
        await self._send({"id": name, "type": "next", "payload": result_body(self._socket, result)})

    def _renew(self, caller: Caller) -> None:
        self._caller = caller
        for ctx in self._contexts.values():
            ctx.caller = caller
        for watching in self._watching:
            watching.renewed()

    def _revoke(self, _problem: Problem) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def _send(self, message: Json) -> None:
        await self._socket.send_text(as_json(message).decode())

    async def _close(self, closing: Closing) -> None:
        """Close the socket; to a client that reads late nothing more is told before it learns of that."""
        for task in self._running.values():
            task.cancel()
        structlog.get_logger().debug("A socket was closed", code=closing.code)
        await self._socket.close(closing.code, closing.reason)

    async def _end_operations(self) -> None:
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _id(said: Json) -> str:
    name = said.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_ID:
        raise Closing(BAD_REQUEST, f"An id is text of 1 to {_MAX_ID} characters")
    return name


def _credentials(payload: Json) -> Heads | None:
    """Return the credentials of a payload as headers have them, None where it has none."""
    sent = [
        (key.lower().encode(), value.encode("utf-8", "replace"))
        for key, value in payload.items()
        if isinstance(value, str) and key.lower().encode("utf-8", "replace") in CREDENTIALS
    ]
    return Heads(sent) if sent else None
