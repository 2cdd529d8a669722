"""AWS on loopback for the demo and the tests: moto keeps the resources, our scripts tell the truth where moto does not."""

from bot.doubles.aws.front import ACCOUNT, REGION, Aws, Seen

__all__ = ["ACCOUNT", "REGION", "Aws", "Seen"]
