"""The stand-in Hub as a server on loopback, in the running loop or in a thread of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from threading import Thread

from aiohttp import web

from tests.fakehub.catalog import CatalogRoutes
from tests.fakehub.hub import Fault, Hub, Proceed
from tests.fakehub.registry import RegistryRoutes, is_registry
from tests.fakehub.routes import Routes, error, json_response
from tests.fakehub.weather import on

_START_SECONDS = 30


class FakeHub(Hub):
    """A Docker Hub on loopback.

    In a test:

        hub = FakeHub()
        hub.add_repository("library/mongo").push("7.0", at="2024-03-01T12:00:00Z")
        with hub.running() as url: ...           # in a thread
        async with hub.serve() as url: ...       # in the running loop
    """

    def disturb(self, pattern: str, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
        """Let `fault` strike requests in whose `path_qs` the regular expression `pattern` is found.

        The first `after` of them pass, then the next `times` are struck (`None`: all that follow).
        """
        self.faults.append(on(pattern, fault, times=times, after=after))

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve from the running loop; yields the base URL, without a slash at its end."""
        runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    @contextmanager
    def running(self, port: int = 0) -> Iterator[str]:
        """Serve from a thread, for tests without asyncio; yields the base URL."""
        started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = Thread(
            target=lambda: asyncio.run(self._serve_until_stopped(port, started)), name="fakehub", daemon=True
        )
        thread.start()
        url, loop, stopped = started.result(_START_SECONDS)
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(stopped.set)
            thread.join()

    async def _serve_until_stopped(
        self, port: int, started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]
    ) -> None:
        stopped = asyncio.Event()
        try:
            async with self.serve(port) as url:
                started.set_result((url, asyncio.get_running_loop(), stopped))
                await stopped.wait()
        except OSError as error:  # the port is taken: for the thread that waits
            started.set_exception(error)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._answer])
        routes = Routes(self)
        for path, handler in routes.table().items():
            app.router.add_get(path + "{slash:/?}", handler)
        app.router.add_post("/v2/auth/token{slash:/?}", routes.sign_in)
        for path, handler in CatalogRoutes(self).table().items():
            app.router.add_get(path + "{slash:/?}", handler)
        for path, handler in RegistryRoutes(self).table().items():
            app.router.add_get(path, handler)
        app.router.add_route("*", "/{path:.*}", routes.nothing)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Proceed) -> web.StreamResponse:
        """Write the request down, and pass it through the weather to its route."""
        self.arrived(request)

        async def fair(request: web.Request) -> web.StreamResponse:
            if is_registry(request):  # another host, in truth
                return await handler(request)
            try:
                account = self.account(request)
            except KeyError:
                return error(401, "unauthorized")
            address = request.remote or ""
            refused = self.too_many(account, address)
            if refused is not None:
                return json_response({"detail": "Rate limit exceeded"}, status=429, headers=refused)
            response = await handler(request)
            response.headers.update(self.rate_headers(account, address))
            return response

        proceed: Proceed = fair
        for fault in reversed(self.faults):
            proceed = partial(_through, fault, proceed)
        response = await proceed(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        if not response.prepared and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response


async def _through(fault: Fault, proceed: Proceed, request: web.Request) -> web.StreamResponse:
    return await fault(request, proceed)
