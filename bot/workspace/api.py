"""The Web API's door: who calls, may they, how often; then the method; every call is written into the log."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import JSONResponse

from bot.workspace.state import Request, State
from bot.workspace.wire import Args, Json, SlackError


@dataclass(frozen=True, slots=True)
class Method:
    """A family member: one Web API method. `scope`: what it needs; `tier`: how often it may be called."""

    name: str
    run: Callable[[State, Args], Json]
    scope: str | None = None
    tier: int = 0
    app_level: bool = False


def method(
    name: str, scope: str | None = None, tier: int = 0, app_level: bool = False
) -> Callable[[Callable[[State, Args], Json]], Method]:
    """Makes a Web API method out of a function."""
    return lambda run: Method(name, run, scope, tier, app_level)


def answer(state: State, methods: dict[str, Method], name: str, token: str, args: Args) -> JSONResponse:
    """One call from its arguments to its HTTP answer."""
    headers, status = {}, 200
    try:
        body = {"ok": True, **called(state, methods, name, token, args)}
        if name == "auth.test":
            headers["x-oauth-scopes"] = ",".join(sorted(state.seed.scopes or ()))
    except SlackError as refusal:
        body = {"ok": False, "error": refusal.code, **refusal.more}
        if refusal.code == "ratelimited":
            status, headers["Retry-After"] = 429, str(body.pop("retry_after"))
    write_down(state, name, args, status, body.get("error"))
    return JSONResponse(body, status, headers)


def called(state: State, methods: dict[str, Method], name: str, token: str, args: Args) -> Json:
    if state.faults.storm_429 > 0:
        state.faults.storm_429 -= 1
        raise SlackError("ratelimited", retry_after=1)
    if name not in methods:
        raise SlackError("unknown_method", req_method=name)
    check_token(state, methods[name], token)
    if methods[name].scope:
        check_scope(state, methods[name].scope or "")
    if name in state.faults.refuse:
        raise SlackError(state.faults.refuse[name])
    channel = state.same_conversation(args.text("channel"))
    wait = state.pace.retry_after(name, methods[name].tier, channel, state.clock.now())
    if wait:
        raise SlackError("ratelimited", retry_after=wait)
    return methods[name].run(state, args)


def check_token(state: State, method: Method, token: str) -> None:
    app = state.seed.app
    if method.name == "api.test":
        return
    if not token:
        raise SlackError("not_authed")
    if token not in (app.token, app.app_token):
        raise SlackError("invalid_auth")
    if token != (app.app_token if method.app_level else app.token):
        raise SlackError("not_allowed_token_type")


def check_scope(state: State, scope: str) -> None:
    granted = state.seed.scopes
    if granted is not None and scope not in granted:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(granted)))


def write_down(state: State, name: str, args: Args, status: int, error: str | None) -> None:
    values = {key: value for key, value in args.values.items() if key != "token"}
    state.log.append(Request(name, values, state.clock.now(), status, error))
