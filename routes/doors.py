"""The way in: strict routes are found at once, by method and path; all else goes on."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from routes.strict_route import StrictRoute


class Doors:
    """Finds strict routes by their method and path; whatever is none of theirs goes to `rest`."""

    def __init__(self, routes: Iterable[BaseRoute], rest: ASGIApp) -> None:
        self._rest = rest
        self._exact: dict[tuple[str, str], StrictRoute] = {}
        self._patterns: list[StrictRoute] = []
        for route in routes:
            if isinstance(route, StrictRoute):
                self._add(route)

    def _add(self, route: StrictRoute) -> None:
        if route.param_convertors:
            self._patterns.append(route)
            return
        for method in route.methods or ():
            self._exact[method, route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route, parameters = self._find(scope) if scope["type"] == "http" else (None, {})
        if route is None:
            await self._rest(scope, receive, send)
            return
        scope["route"], scope["path_params"] = route, parameters
        await route.app(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[StrictRoute | None, dict[str, str]]:
        method, path = scope["method"], scope["path"]
        route = self._exact.get((method, path))
        if route is not None:
            return route, {}
        for route in self._patterns:
            match = route.path_regex.match(path)
            if match is not None and method in (route.methods or ()):
                return route, match.groupdict()
        return None, {}
