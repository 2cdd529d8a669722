"""What a person does: writes, types a command, clicks, fills in a form."""

from typing import Any

from bot.errors import Refused
from bot.workspace import payloads
from bot.workspace.blocks import elements_of
from bot.workspace.delivery import COMMAND, INTERACTION, Delivery, Undelivered
from bot.workspace.messages import Conversation, Message
from bot.workspace.modals import View, missing
from bot.workspace.responses import respond
from bot.workspace.state import State, direct_id
from bot.workspace.wire import Json, SlackError
from bot.workspace.words import from_composer

IN_THREAD = "Slack takes no slash commands in threads; mention the bot instead"
NOT_A_COMMAND = "{name} is not a valid command"
FAILED = '{name} failed with the error "{code}"'
TROUBLE = "We had some trouble connecting. Try again?"
BAD_ANSWER = "The app answered something that Slack does not understand: {why}"
NOT_A_MEMBER = "You are not in this channel"
NOTHING_SAID = "Write something first"
NO_MESSAGE = "This message is no longer there"
NO_ELEMENT = "This button is no longer there; the message has changed"
NO_VIEW = "This dialog is no longer open"
NO_SHORTCUT = "{name} is not a shortcut of this app"
DEACTIVATED = "This account is deactivated"
SLACK_DOWN = "Slack is not reachable"


class Acts:
    """Every act of a person; raises Refused with a sentence for them."""

    def __init__(self, state: State, delivery: Delivery) -> None:
        self.state, self.delivery = state, delivery

    def place(self, person: str, channel: str) -> Conversation:
        if self.state.faults.down:
            raise Refused(SLACK_DOWN)
        if person in self.state.left:
            raise Refused(DEACTIVATED)
        conversation = self.state.conversations.get(channel)
        if conversation is None or person not in conversation.members:
            raise Refused(NOT_A_MEMBER)
        return conversation

    async def say(self, person: str, channel: str, text: str, thread: str | None = None) -> None:
        conversation = self.place(person, channel)
        text = text.strip()
        if not text:
            raise Refused(NOTHING_SAID)
        if text.startswith("/"):
            await self.command(person, conversation, text, thread)
            return
        parent = conversation.thread_of(thread)
        if thread and parent is None:
            raise Refused(NO_MESSAGE)
        words = from_composer(text, self.state.seed)
        conversation.mark_read(person)
        self.tell_app(conversation, self.state.post(conversation, person, words, thread_ts=parent))

    def tell_app(self, conversation: Conversation, message: Message) -> None:
        """The app hears when it is mentioned, and, if it asked for that, what is written to it directly."""
        mentioned = f"<@{self.state.seed.app.user_id}>" in message.text
        if conversation.with_person and self.state.seed.hears("message.im"):
            self.delivery.announce(payloads.said(self.state, "message", conversation, message))
        if mentioned and self.state.seed.hears("app_mention"):
            self.delivery.announce(payloads.said(self.state, "app_mention", conversation, message))

    async def command(self, person: str, conversation: Conversation, line: str, thread: str | None) -> None:
        """A slash command; what goes wrong with the app is a notice, never a retry."""
        name, _, text = line.partition(" ")
        if thread:
            raise Refused(IN_THREAD)
        if name not in self.state.seed.commands or self.state.stranger(person):
            raise Refused(NOT_A_COMMAND.format(name=name))
        if self.state.seed.commands[name].get("should_escape"):
            text = from_composer(text.strip(), self.state.seed, with_names=True)
        payload = payloads.command(self.state, person, conversation, name, text.strip())
        try:
            answer = await self.delivery.deliver(COMMAND, payload)
            if answer:
                respond(self.state, person, conversation, answer if isinstance(answer, dict) else {"text": answer})
        except Undelivered as failure:
            self.state.streams.notice(person, FAILED.format(name=name, code=failure.code))
        except SlackError as refusal:
            why = BAD_ANSWER.format(why=f"{refusal.code} {refusal.more.get('errors', '')}")
            self.state.streams.notice(person, why)

    async def click(self, person: str, clicked: Json) -> None:
        """A click in a message or, with `view_id`, in a view."""
        if clicked.get("view_id"):
            view = self.view(person, str(clicked["view_id"]))
            payload = payloads.click_on_view(self.state, view, self.action(view.body["blocks"], clicked))
        else:
            conversation = self.place(person, str(clicked.get("channel")))
            message = conversation.by_ts.get(str(clicked.get("ts")))
            if message is None or message.ephemeral_for not in (None, person):
                raise Refused(NO_MESSAGE)
            action = self.action(message.blocks, clicked)
            payload = payloads.click_on_message(self.state, person, conversation, message, action)
        await self.interact(person, payload)

    def action(self, blocks: list[Json], clicked: Json) -> Json:
        """The element that was clicked, as block_actions tells it; raises Refused when it is not there."""
        for block in blocks:
            for element in elements_of(block):
                if (block["block_id"], element.get("action_id")) == (clicked.get("block_id"), clicked.get("action_id")):
                    return {
                        "type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"],
                        "action_ts": payloads.now(self.state), **chosen(element, clicked),
                    }
        raise Refused(NO_ELEMENT)

    async def interact(self, person: str, payload: Json) -> None:
        try:
            await self.delivery.deliver(INTERACTION, payload)
        except Undelivered as failure:
            name = self.state.seed.app.name
            self.state.streams.notice(person, FAILED.format(name=name, code=failure.code))

    def view(self, person: str, view_id: str) -> View:
        try:
            view = self.state.modals.find(view_id)
        except SlackError:
            raise Refused(NO_VIEW) from None
        if view.person != person:
            raise Refused(NO_VIEW)
        return view

    async def submit(self, person: str, view_id: str, values: Json) -> dict[str, str]:
        """Sends a form; returns what is wrong with it, by block_id."""
        view = self.view(person, view_id)
        view.values = values
        errors = missing(view)
        if errors:
            return errors
        try:
            answer = await self.delivery.deliver(INTERACTION, payloads.submission(self.state, view))
            return self.obey(view, answer if isinstance(answer, dict) else {})
        except Undelivered:
            raise Refused(TROUBLE) from None
        except SlackError as refusal:
            why = f"{refusal.code} {refusal.more.get('errors', '')}"
            raise Refused(BAD_ANSWER.format(why=why)) from None

    def obey(self, view: View, answer: Json) -> dict[str, str]:
        """What the app wants done with the view after its submission."""
        modals, wish = self.state.modals, answer.get("response_action")
        if wish == "errors":
            return known_errors(view, answer.get("errors"))
        if wish == "update":
            modals.update(view, answer.get("view") or {})
        elif wish == "push":
            modals.push(view.person, answer.get("view") or {})
        elif view in modals.stacks.get(view.person, []):
            modals.close(view, everything=wish == "clear")
        self.state.show_modal(view.person)
        return {}

    async def dismiss(self, person: str, view_id: str) -> None:
        view = self.view(person, view_id)
        if view in self.state.modals.stacks.get(person, []):
            self.state.modals.close(view, everything=bool(view.body.get("clear_on_close")))
        self.state.show_modal(person)
        if view.body.get("notify_on_close"):
            await self.interact(person, payloads.closed(self.state, view))

    async def shortcut(self, person: str, callback_id: str, channel: str | None, ts: str | None) -> None:
        """A shortcut of the manifest, on a message when one is named."""
        shortcuts = self.state.seed.manifest.get("features", {}).get("shortcuts", [])
        kind = "message" if ts else "global"
        known = any(one["callback_id"] == callback_id and one["type"] == kind for one in shortcuts)
        if not known or self.state.stranger(person):
            raise Refused(NO_SHORTCUT.format(name=callback_id))
        if not ts:
            await self.interact(person, payloads.global_shortcut(self.state, person, callback_id))
            return
        conversation = self.place(person, channel or "")
        message = conversation.public(ts)
        if message is None:
            raise Refused(NO_MESSAGE)
        await self.interact(
            person, payloads.message_shortcut(self.state, person, callback_id, conversation, message)
        )

    def leave(self, person: str, left: bool = True) -> None:
        """Their account is deactivated, or active again; the app hears of it."""
        (self.state.left.add if left else self.state.left.discard)(person)
        if self.state.seed.hears("user_change"):
            self.delivery.announce(payloads.user_changed(self.state, person))
        self.state.streams.tell(self.state.people, {"type": "channels"})

    def open_home(self, person: str) -> View | None:
        """A person looks at the app's Home tab; the app hears of it."""
        if self.state.stranger(person):
            return None
        if self.state.seed.hears("app_home_opened"):
            conversation = self.state.conversations[direct_id(person)]
            self.delivery.announce(payloads.home_opened(self.state, person, conversation))
        return self.state.modals.homes.get(person)


def chosen(element: Json, clicked: Json) -> Json:
    """What the click says beyond which element it was: a button's own value, a menu's choice."""
    if element["type"] == "button":
        return {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    choice: Any = clicked.get("selected_option")
    if isinstance(choice, dict) and "options" in element:
        choice = next((one for one in element["options"] if one["value"] == choice.get("value")), None)
        if choice is None:
            raise Refused(NO_ELEMENT)
        return {"selected_option": choice}
    return {name: value for name, value in clicked.items() if name.startswith("selected_") or name == "value"}


def known_errors(view: View, errors: Any) -> dict[str, str]:
    """Errors stand beside inputs: Slack refuses one for a block that is none."""
    inputs = {block["block_id"] for block in view.inputs}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_errors", errors=[f"errors must be for these inputs: {', '.join(sorted(inputs))}"])
    return {str(block): str(text) for block, text in errors.items()}
