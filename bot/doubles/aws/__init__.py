"""AWS on loopback for the demo and the tests: moto keeps the resources, our scripts tell the truth where moto does not."""

from bot.doubles.aws.front import ACCOUNT, REGION, Aws, Seen
from bot.doubles.aws.platform import Platform, lay_out
from bot.doubles.aws.resources import IMAGE

__all__ = ["ACCOUNT", "IMAGE", "REGION", "Aws", "Platform", "Seen", "lay_out"]
