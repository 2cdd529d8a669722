"""Views: each person's stack of modals, three deep, and their Home tab."""

from dataclasses import dataclass, field

from bot.ports import Ids
from bot.workspace.blocks import elements_of, view_faults, with_ids
from bot.workspace.seed import Seed
from bot.workspace.wire import Json, SlackError, invalid

DEEPEST = 3
OPTIONAL = ("title", "submit", "close")


@dataclass(slots=True)
class View:
    id: str
    person: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    values: Json = field(default_factory=dict)

    @property
    def inputs(self) -> list[Json]:
        return [block for block in self.body["blocks"] if block["type"] == "input"]


class Modals:
    def __init__(self, seed: Seed, ids: Ids) -> None:
        self.seed, self.ids = seed, ids
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def open(self, person: str, body: Json) -> View:
        view = self.made(person, body, "modal")
        self.stacks[person] = [view]
        return view

    def push(self, person: str, body: Json) -> View:
        stack = self.stacks.setdefault(person, [])
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        view = self.made(person, body, "modal")
        if stack:
            view.root, view.previous = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def publish(self, person: str, body: Json, hash: str) -> View:
        old = self.homes.get(person)
        if hash and old and old.hash != hash:
            raise SlackError("hash_conflict")
        view = self.made(person, body, "home")
        view.id = view.root = old.id if old else view.id
        self.homes[person] = view
        return view

    def update(self, view: View, body: Json, hash: str = "") -> View:
        if hash and hash != view.hash:
            raise SlackError("hash_conflict")
        fresh = self.made(view.person, body, view.body["type"])
        view.body, view.hash = fresh.body, fresh.hash
        return view

    def find(self, view_id: str, external_id: str = "") -> View:
        for view in [*(view for stack in self.stacks.values() for view in stack), *self.homes.values()]:
            if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
                return view
        raise SlackError("not_found")

    def top(self, person: str) -> View | None:
        stack = self.stacks.get(person)
        return stack[-1] if stack else None

    def close(self, view: View, everything: bool = False) -> None:
        """The view and what was pushed onto it; or the whole stack."""
        stack = self.stacks.get(view.person, [])
        self.stacks[view.person] = [] if everything else stack[: stack.index(view)]

    def made(self, person: str, body: Json, kind: str) -> View:
        """A new view of what the app sent; raises SlackError with every fault in it."""
        found = view_faults(body)
        if not found and body["type"] != kind:
            found = [f"[ERROR] must be of type {kind} [json-pointer:/view/type]"]
        if found:
            raise invalid("invalid_arguments", found)
        filled = {**body, "blocks": with_ids(body["blocks"], self.short_id)}
        id_ = f"V{self.short_id().upper()}"
        return View(id_, person, filled, f"{self.short_id()}.{self.short_id()}", root=id_)

    def short_id(self) -> str:
        return self.ids.new()[-10:]

    def as_json(self, view: View) -> Json:
        """The view as Slack shows it to the app (and we to the page)."""
        app, body = self.seed.app, view.body
        return {
            "id": view.id, "team_id": self.seed.team_id, "type": body["type"], "blocks": body["blocks"],
            "private_metadata": body.get("private_metadata", ""), "callback_id": body.get("callback_id", ""),
            "external_id": body.get("external_id", ""), "state": {"values": state_of(view)}, "hash": view.hash,
            **{name: body.get(name) for name in OPTIONAL},
            "clear_on_close": body.get("clear_on_close", False), "notify_on_close": body.get("notify_on_close", False),
            "previous_view_id": view.previous, "root_view_id": view.root, "app_id": app.app_id, "bot_id": app.bot_id,
            "app_installed_team_id": self.seed.team_id,
        }


def state_of(view: View) -> Json:
    """What every input holds, also the untouched ones."""
    values: Json = {}
    for block in view.inputs:
        for element in elements_of(block):
            given = view.values.get(block["block_id"], {}).get(element["action_id"])
            values[block["block_id"]] = {element["action_id"]: given or untouched(element)}
    return values


def untouched(element: Json) -> Json:
    """An input nobody touched: what it started with, or nothing."""
    kind = element["type"]
    if kind.endswith("_input"):
        return {"type": kind, "value": element.get("initial_value")}
    if kind == "users_select":
        return {"type": kind, "selected_user": element.get("initial_user")}
    if kind == "checkboxes" or kind.startswith("multi_"):
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    if kind == "datepicker":
        return {"type": kind, "selected_date": element.get("initial_date")}
    return {"type": kind, "selected_option": element.get("initial_option")}


def missing(view: View) -> dict[str, str]:
    """Required inputs that are still empty; Slack's own client would not send them."""
    values = state_of(view)
    errors = {}
    for block in view.inputs:
        given = next(iter(values[block["block_id"]].values()))
        filled = any(value not in (None, "", []) for name, value in given.items() if name != "type")
        if not filled and not block.get("optional"):
            errors[block["block_id"]] = "Please complete this required field."
    return errors
