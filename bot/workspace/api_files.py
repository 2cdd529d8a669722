"""Web API: files in three steps: an address, the bytes, the message that shows them."""

from urllib.parse import quote

from bot.workspace.api import method
from bot.workspace.api_chat import parent_of
from bot.workspace.state import File, State
from bot.workspace.wire import Args, Json, SlackError

LARGEST = 64_000_000


@method("files.getUploadURLExternal", scope="files:write", tier=4)
def upload_address(state: State, args: Args) -> Json:
    name = args.need("filename").rpartition("/")[2]
    if not 0 < args.number("length", 0) <= LARGEST:
        raise SlackError("invalid_arguments")
    id_ = f"F{state.modals.short_id().upper()}"
    state.files[id_] = File(id_, name, name)
    return {"upload_url": f"{args.base}/upload/{id_}", "file_id": id_}


@method("files.completeUploadExternal", scope="files:write", tier=4)
def complete(state: State, args: Args) -> Json:
    files = [uploaded(state, one) for one in args.structure("files") or []]
    if not files:
        raise SlackError("invalid_arguments")
    if args.text("channel_id"):
        conversation = state.conversation(args.text("channel_id"))
        if state.seed.app.user_id not in conversation.members:
            raise SlackError("not_in_channel")
        shown = [file_json(state, one, args.base) for one in files]
        comment, thread = args.text("initial_comment"), parent_of(conversation, args)
        state.post(conversation, state.seed.app.user_id, comment, thread_ts=thread, files=shown)
    return {"files": [{"id": one.id, "title": one.title} for one in files]}


def uploaded(state: State, wanted: Json) -> File:
    file = state.files.get(str(wanted.get("id")))
    if file is None or not file.content:
        raise SlackError("file_not_found")
    file.title = str(wanted.get("title") or file.name)
    return file


def file_json(state: State, file: File, base: str) -> Json:
    path = f"files/{file.id}/{quote(file.name)}"
    return {"id": file.id, "name": file.name, "title": file.title, "size": len(file.content),
            "user": state.seed.app.user_id, "url_private": f"{base}/{path}", "path": path}
