"""Web API: modals and the Home tab."""

from bot.workspace.api import method
from bot.workspace.modals import View
from bot.workspace.state import State
from bot.workspace.wire import Args, Json, SlackError, invalid


def body_of(args: Args) -> Json:
    view = args.structure("view")
    if not isinstance(view, dict):
        raise invalid("invalid_arguments", ["[ERROR] missing required field: view"])
    return view


def shown(state: State, view: View) -> Json:
    return {"view": state.modals.as_json(view)}


@method("views.open", tier=4)
def open_(state: State, args: Args) -> Json:
    """A refused view leaves the trigger_id good for another try."""
    person = state.tickets.check_trigger(args.text("trigger_id"))
    view = state.modals.open(person, body_of(args))
    return spent(state, args, view)


@method("views.push", tier=4)
def push(state: State, args: Args) -> Json:
    person = state.tickets.check_trigger(args.text("trigger_id"))
    if not state.modals.top(person):
        raise SlackError("not_found")
    return spent(state, args, state.modals.push(person, body_of(args)))


def spent(state: State, args: Args, view: View) -> Json:
    """The trigger_id has been exchanged for this view."""
    state.tickets.triggers[args.text("trigger_id")].used = True
    state.show_modal(view.person)
    return shown(state, view)


@method("views.update", tier=4)
def update(state: State, args: Args) -> Json:
    view = state.modals.find(args.text("view_id"), args.text("external_id"))
    state.modals.update(view, body_of(args), args.text("hash"))
    state.show_modal(view.person)
    return shown(state, view)


@method("views.publish", tier=4)
def publish(state: State, args: Args) -> Json:
    if args.text("user_id") not in state.people:
        raise SlackError("user_not_found")
    view = state.modals.publish(args.text("user_id"), body_of(args), args.text("hash"))
    state.streams.tell([view.person], {"type": "home"})
    return shown(state, view)
