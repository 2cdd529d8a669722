"""What to set on the other side of each endpoint: Datadog's webhook, SNS's retries and the queue behind them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bot.config import Config, Endpoint

NO_URL = "https://<the address of Vigie>"
DATADOG = """\
In Datadog, Integrations, Webhooks, New:
  Name            {name}
  URL             {url}
  Custom headers  {{"X-Vigie-Secret": "<the value of {secret}>"}}
  Payload         as follows; leave "Encode as form" off
{template}
Then write @webhook-{name} into each monitor's message, and tag monitors with service: and probe:."""
BY_HTTPS = """\
Subscribe {url} (HTTPS) to
{topics}
with raw message delivery off, and set on the subscription
  DeliveryPolicy  {policy}
  RedrivePolicy   {{"deadLetterTargetArn": "<ARN of an SQS queue in the topic's region>"}}
SNS tries for an hour at most and takes every answer below 500 as delivered; what it gives up on waits in that queue.
Set each topic's attribute SignatureVersion to 2."""
BY_QUEUE = """\
Subscribe the queue {queue} to the topic; SNS then tries for 23 days.
  Queue policy    allow sns.amazonaws.com sqs:SendMessage with the condition aws:SourceArn = the topic's ARN
  RedrivePolicy   {{"deadLetterTargetArn": "<ARN of a second queue>", "maxReceiveCount": 10}}
  Retention       14 days, in both queues
Vigie deletes a message only after its alert is written."""
BY_HEADER = """\
Send POST {url} with the header
  {header}"""

DELIVERY_POLICY = {
    "healthyRetryPolicy": {
        "minDelayTarget": 5,
        "maxDelayTarget": 120,
        "numRetries": 50,
        "numNoDelayRetries": 2,
        "numMinDelayRetries": 3,
        "numMaxDelayRetries": 20,
        "backoffFunction": "exponential",
    }
}
HEADERS = {"alertmanager": "Authorization: Bearer <the value of {secret}>"}
USUAL_HEADER = "X-Vigie-Secret: <the value of {secret}>"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do for one endpoint, ready to paste; it names the secret's variable, never its value."""

    endpoint: str
    text: str


def advice(config: Config, datadog_template: str) -> Iterator[Advice]:
    """One piece of advice an endpoint; `datadog_template` is what the source datadog reads best."""
    for name, endpoint in config.endpoints.items():
        yield Advice(name, _for(name, endpoint, config.public_url, datadog_template))


def _for(name: str, endpoint: Endpoint, public_url: str | None, template: str) -> str:
    url = f"{(public_url or NO_URL).rstrip('/')}/webhooks/{endpoint.source}/{name}"
    secret = endpoint.secrets[0] if endpoint.secrets else "the secret"
    if endpoint.queue_url:
        return BY_QUEUE.format(queue=endpoint.queue_url)
    if endpoint.source == "cloudwatch":
        topics = "\n".join(f"  {topic.arn}" for topic in endpoint.topics)
        return BY_HTTPS.format(url=url, topics=topics, policy=json.dumps(DELIVERY_POLICY))
    if endpoint.source == "datadog":
        return DATADOG.format(name=name, url=url, secret=secret, template=template)
    return BY_HEADER.format(url=url, header=HEADERS.get(endpoint.source, USUAL_HEADER).format(secret=secret))
