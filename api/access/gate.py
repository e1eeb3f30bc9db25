"""The gate: nobody reaches a route before they are identified, counted and allowed.

It stands before the router, so that a route that somebody adds is behind it by itself.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.cookie import kept_by_browser
from api.access.keys import PREFIX, Keyring
from api.access.limits import Limits, Quota
from api.access.loopback import is_local
from api.access.person import Person, Role
from api.access.rights import check, right_for
from api.access.tokens import Tokens
from api.problem import on_error
from schemas.errors import ErtisError, NotIdentified


class Gate:
    """ASGI middleware that puts the `Person` who asks into the request's state, or answers no."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keyring,
        tokens: Tokens | None,
        limits: Limits,
        keyless: Role | None,
        keyless_anywhere: bool,
    ) -> None:
        self._app = app
        self._keys = keys
        self._tokens = tokens
        self._limits = limits
        self._keyless = keyless
        self._keyless_anywhere = keyless_anywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401, 403, 429 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        right = right_for(scope["method"], scope["path"])
        if right.role is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            person, quota = await self._admit(request)
            check(right, person)
        except ErtisError as error:
            await (await on_error(request, error))(scope, receive, send)
            return
        request.state.person = person

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(quota.headers)
            await send(message)

        await self._app(scope, receive, counted)

    async def _admit(self, request: Request) -> tuple[Person, Quota]:
        """Who asks, counted; those who fail are counted by their address."""
        address = request.client.host if request.client else "unknown"
        try:
            person, caller = await self._identify(request, address)
        except NotIdentified:
            self._limits.take(f"address {address}")
            raise
        return person, self._limits.take(caller)

    async def _identify(self, request: Request, address: str) -> tuple[Person, str]:
        given = request.headers.get("Authorization", kept_by_browser(request))
        if given is None:
            return self._without_key(request, address), f"address {address}"
        scheme, _, text = given.partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise NotIdentified("send Authorization: Bearer, then the key or token")
        if text.startswith(PREFIX):
            person = await run_in_threadpool(self._keys.person, text)
        elif self._tokens is not None:
            person = await run_in_threadpool(self._tokens.person, text)
        else:
            raise NotIdentified(f"a key begins with {PREFIX}; no identity provider is set here")
        return person, f"person {person.name}"

    def _without_key(self, request: Request, address: str) -> Person:
        if self._keyless is None:
            raise NotIdentified("send Authorization: Bearer with a key (python -m api keys create)")
        if not self._keyless_anywhere and not is_local(request, address):
            raise NotIdentified("without a key only this machine itself is answered")
        return Person("local", self._keyless)
