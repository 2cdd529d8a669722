"""The resources of the double: moto's server, called in this process."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bot.doubles.aws.wire import Reply, Request
from bot.errors import Misbuilt

NO_MOTO = "The double of AWS needs moto, and it is not installed: install vigie[demo]."
IMAGE = "ami-12c6146b"       # the one machine image that there is
HOP = {"host", "connection", "content-length", "transfer-encoding", "expect"}


class Resources:
    """moto: it keeps what exists. One account; all the process shares it, for moto keeps its state in modules."""

    def __init__(self, account: str) -> None:
        if find_spec("moto") is None or find_spec("flask") is None:
            raise Misbuilt(NO_MOTO)
        self.account = account
        self._client = _moto()

    def answer(self, request: Request) -> Reply:
        """What moto says to it."""
        headers = [(name, value) for name, value in request.headers.items() if name not in HOP]
        headers.append(("x-moto-account-id", self.account))
        said = self._client.open(
            request.path, query_string=request.query, method=request.method, headers=headers, data=request.body)
        kept = {name.lower(): value for name, value in said.headers.items() if name.lower() not in HOP}
        return Reply(said.status_code, kept, said.data)

    def backend(self, service: str, region: str) -> Any:
        """moto's own objects, to set right what it cannot be told over HTTP."""
        return self.load(service)[self.account][region]

    def load(self, service: str) -> Any:
        """Imports a service's code, which takes a moment the first time."""
        return import_module("moto.backends").get_backend(service)

    def reset(self) -> None:
        """Nothing exists any more."""
        import_module("moto.moto_api._internal").moto_api_backend.reset()


@cache
def _moto() -> Any:
    """One server for all doubles of this process, as its state is one: what it can answer takes long to set up."""
    server = import_module("moto.moto_server.werkzeug_app")
    app = server.DomainDispatcherApplication(server.create_backend_app)
    import_module("moto.ec2.models.amis").AmiBackend._load_amis = _load_one_image
    return import_module("werkzeug.test").Client(app)


def _load_one_image(backend: Any) -> None:
    """moto would read 1,300 images for every empty account, which takes longer than most tests."""
    image = import_module("moto.ec2.models.amis").Ami
    backend.amis[IMAGE] = image(
        backend, IMAGE, name="al2023-ami-2023.9-x86_64", owner_alias="amazon", public=True, virtualization_type="hvm",
        architecture="x86_64", hypervisor="xen", root_device_type="ebs", root_device_name="/dev/xvda", boot_mode="uefi-preferred")
