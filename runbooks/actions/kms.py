"""KMS: read whether a key can be used. Disabling one is never automatic: the whole data plane would stop."""

from typing import Annotated, Literal

from pydantic import Field

from runbooks.actions import Action, Look, Outcome, Params, Service, State, World

READS = "would read the state of the key {key}"
IS = "the key {key} is {state}"
DELETED_AT = "; it will be deleted on {on}"
UNUSABLE = "; nothing that is encrypted with it can be read"

ENABLED = "Enabled"
_ID = r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = rf"^({_ID}|(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{{12}}:)?(key/({_ID})|alias/[A-Za-z0-9/_-]{{1,250}}))$"


class Key(Params):
    """A key, and how it should be."""

    key: Annotated[str, Field(pattern=KEY, description="The key's id, its alias (alias/pay-db) or its ARN")]
    expect: Literal["Enabled", "Disabled", "PendingDeletion"] | None = Field("Enabled", description="The state it should have")


class KeyState(Action[Key]):
    """Read the state of a KMS key, and wait until it is as expected."""

    name = "aws.kms.key_state"
    params = Key
    example = {"key": "alias/pay-db"}
    verified = "the key's state is the expected one"
    reads = ("kms:DescribeKey",)
    poll_s = 15.0

    def target(self, params: Key) -> str:
        return f"kms:{params.key}"

    def plan(self, params: Key, before: State) -> str:
        return READS.format(key=params.key)

    def act(self, world: World, params: Key, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Key, before: State, outputs: State) -> Look:
        found = world.aws("kms").describe_key(KeyId=params.key)["KeyMetadata"]
        state, deleted = str(found["KeyState"]), found.get("DeletionDate")
        said = IS.format(key=params.key, state=state)
        if deleted is not None:
            said += DELETED_AT.format(on=deleted.date().isoformat())
        if state != ENABLED:
            said += UNUSABLE
        values = {"state": state, "id": found["KeyId"], "manager": found.get("KeyManager", "")}
        return Look("done" if params.expect in (None, state) else "under way", said, values)


SERVICE = Service("aws.kms", (KeyState(),))
