"""KMS: a key that is disabled, or waits for its end, refuses its work."""

from bot.doubles.aws.script import Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

WORK = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign", "Verify", "GenerateMac")


class Kms(Script):
    """moto keeps the states and forgets to ask them."""

    service = "kms"

    @answers(*WORK)
    def work(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        arn = str(answer["KeyId"])
        state = self.ground.resources.backend("kms", call.region).keys[arn.rsplit("/", 1)[-1]].key_state
        if state == "Disabled":
            raise Refusal("DisabledException", f"{arn} is disabled.")
        if state != "Enabled":
            raise Refusal("KMSInvalidStateException", f"{arn} is {state}.")
        return answer
