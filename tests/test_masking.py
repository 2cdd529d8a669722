"""Card numbers, IBANs and secrets never leave the intake; what only looks like them stays as it was."""

import json
import random
import time
import timeit
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doubles import cloudwatch
from bot.masking import mask, mask_text

CARDS = {
    "Visa 13": ("4", 13), "Visa 16": ("4", 16), "Visa 19": ("4", 19), "Mastercard": ("55", 16),
    "Mastercard 2": ("2720", 16), "Amex": ("37", 15), "Diners": ("36", 14), "Discover": ("6011", 16),
    "JCB": ("3530", 16), "UnionPay": ("62", 16), "UnionPay 19": ("62", 19), "Maestro": ("6759", 16),
}
IBANS = (
    "FR7630006000011234567890189", "DE89370400440532013000", "GB29NWBK60161331926819", "NL91ABNA0417164300",
    "BE68539007547034", "MT84MALT011000012345MTLCAST001S", "NO9386011117947", "ES9121000418450200051332",
)
SECRETS = (
    "password=hunter2", "passwd: hunter2", '{"password": "hunter2"}', '{\\"password\\": \\"hunter2\\"}',
    "pwd%3Dhunter2", "DD_API_KEY=hunter20123456789abcdef", "x-vigie-secret: hunter2", "Authorization: Basic hunter2=",
    "api_key: 'hunter2'", "Authorization: Bearer hunter2.abc", "got bearer hunter2-token",
    "https://user:hunter2@db.bridge.example/ledger", "mysql://hunter2@db/ledger",
    "aws_secret_access_key = hunter2/K7MDENG", "?token=hunter2&page=2",
    "client_secret=hunter2", "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    "cvv: 'hunter2'", "sessionToken=hunter2",
    "https://sns.eu-west-3.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=hunter2",
    "https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=hunter2",
    "sk_live_hunter20123456", "xoxb-hunter2-0123456789", "https://hooks.slack.com/services/T0/B0/hunter2",
    "eyJhunter20123.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
)


def luhn_complete(start: str, size: int, fill: random.Random) -> str:
    body = start + "".join(str(fill.randrange(10)) for _ in range(size - len(start) - 1))
    doubled = [int(sign) for sign in reversed(body)]
    total = sum(sum(divmod(2 * number, 10)) if at % 2 == 0 else number for at, number in enumerate(doubled))
    return body + str(-total % 10)


def shown(card: str) -> str:
    return f"{card[:6]}{'*' * (len(card) - 10)}{card[-4:]}"


def grouped(card: str, gap: str) -> str:
    return gap.join(card[at: at + 4] for at in range(0, len(card), 4))


@pytest.mark.parametrize("brand", CARDS)
def test_a_card_number_of_every_brand_keeps_first_six_and_last_four(brand: str) -> None:
    fill = random.Random(brand)
    for _ in range(300):
        card = luhn_complete(*CARDS[brand], fill)
        assert mask_text(f"charge to card {card} failed") == f"charge to card {shown(card)} failed"


@pytest.mark.parametrize("gap", [" ", "-", "\u00a0", "\u2011", "%20", "%2D", "+", "\\u0020", "\\u00a0"])
@pytest.mark.parametrize("brand", CARDS)
def test_a_card_number_written_in_groups_is_masked(brand: str, gap: str) -> None:
    card = luhn_complete(*CARDS[brand], random.Random(gap))
    assert mask_text(f"[{grouped(card, gap)}]") == f"[{shown(card)}]"


@pytest.mark.parametrize("text", [
    "card%3D{}%26x", "%7B%22pan%22%3A%22{}%22%7D", '{{"pan":"{}"}}', '{{\\"pan\\":\\"{}\\"}}',
    "a\\n{}", "pan\\u003d{}", "PAN{}", "card{}", ";{}=27122011123400001?", "%B{}^DOE/JANE^27122011123400001?", "{}EUR",
    "({})", "<{}>", "{}.", "{},{}", "order_id={}", "x={};", "2026-11-22 {}",
])
def test_a_card_number_is_found_whatever_stands_around_it(text: str) -> None:
    card = "4111111111111111"
    masked = mask_text(text.format(card, card))
    assert card not in masked
    assert "411111******1111" in masked
    assert "27122011123400001" not in masked


def test_a_card_number_written_digit_by_digit_in_escapes_is_masked() -> None:
    card = "5105105105105100"
    assert mask_text("".join(f"%{ord(sign):x}" for sign in card)) == shown(card)
    assert mask_text("".join(f"\\u{ord(sign):04x}" for sign in card)) == shown(card)
    assert card not in mask_text(quote(f"pan={card}"))


def test_numbers_before_and_after_a_card_in_groups_do_not_hide_it() -> None:
    assert mask_text("2026-11-22 4111 1111 1111 1111 12/27") == "2026-11-22 411111******1111 12/27"
    assert mask_text("4111-1111-1111-1111 123") == "411111******1111 123"


def test_every_card_number_of_a_row_is_masked() -> None:
    said = "2026 4111 1111 1111 1111 123 5555 5555 5555 4444-4111111111111111 end"
    assert mask_text(said) == "2026 411111******1111 123 555555******4444-411111******1111 end"


def test_a_card_number_that_is_a_number_or_a_key_is_masked_too() -> None:
    assert mask({"amount": 12, "pan": 4111111111111111}) == {"amount": 12, "pan": "411111******1111"}
    assert mask({"4111111111111111": ["x"]}) == {"411111******1111": ["x"]}
    assert mask([[{"a": ["4111111111111111"]}]]) == [[{"a": ["411111******1111"]}]]


@given(st.datetimes(datetime(2001, 9, 9, 2), datetime(2033, 5, 18)), st.integers(0, 999_999_999))
def test_times_are_never_taken_for_cards(at: datetime, nanoseconds: int) -> None:
    seconds = int(at.replace(tzinfo=UTC).timestamp())
    for text in (
        f"{seconds}", f"{seconds}{nanoseconds % 1000:03d}", f"{seconds}{nanoseconds % 10**6:06d}",
        f"{seconds}{nanoseconds:09d}", f"{seconds}.{nanoseconds % 10**6:06d}", at.isoformat(),
        f"card charged at {seconds}{nanoseconds:09d}",
    ):
        assert mask_text(text) == text


@given(st.uuids(), st.integers(10**11, 10**12 - 1))
def test_uuids_and_account_ids_are_never_taken_for_cards(name: uuid.UUID, account: int) -> None:
    for text in (str(name), name.hex, f"arn:aws:sns:eu-west-3:{account}:alarms:{name}", f"{account} {account}"):
        assert mask_text(text) == text


def test_long_ids_without_a_card_word_near_stay() -> None:
    fill = random.Random(17)
    ids = [str(fill.randrange(10**18, 9 * 10**18)) for _ in range(20_000)]
    assert [each for each in ids if mask_text(f"event?id={each}") != f"event?id={each}"] == []
    body = {"trace_id": ids[0], "spanId": int(ids[1]), "sequence_number": ids[3] + "7", "event_ts": 1795310045123456}
    assert mask(body) == body


@pytest.mark.parametrize("key", ["id", "trace_id", "spanId", "event_ts", "date", "sequenceNumber", "fingerprint"])
def test_a_card_number_under_the_name_of_an_id_or_a_time_is_masked_like_any_other(key: str) -> None:
    card, shown_as = "4111111111111111", "411111******1111"
    assert mask({key: card}) == mask({key: int(card)}) == {key: shown_as}
    assert mask({key: [f"order {grouped(card, ' ')}"]}) == {key: [f"order {shown_as}"]}


def test_a_digit_that_does_not_check_is_no_card() -> None:
    assert mask_text("4111111111111112") == "4111111111111112"
    assert mask_text("9111111111111111") == "9111111111111111"


@pytest.mark.parametrize("iban", IBANS)
def test_an_iban_keeps_its_land_check_digits_and_last_four(iban: str) -> None:
    expected = f"to {iban[:4]}****{iban[-4:]} refused"
    assert mask_text(f"to {iban} refused") == expected
    assert mask_text(f"to {grouped(iban, ' ')} refused") == expected
    assert mask_text(quote(f"to {grouped(iban, ' ')} refused")) == f"to%20{iban[:4]}****{iban[-4:]}%20refused"
    broken = iban[:-1] + ("0" if iban[-1] != "0" else "1")
    assert mask_text(broken) == broken


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_a_text_is_masked(text: str) -> None:
    masked = mask_text(f"before {text}")
    assert "hunter2" not in masked
    assert masked.startswith("before ")
    assert "****" in masked


def test_all_that_lies_under_the_name_of_a_secret_is_masked() -> None:
    body = {"Password": "hunter2", "credentials": {"user": "u", "deep": ["hunter2", 3]}, "UnsubscribeURL": "https://x"}
    hidden = {"Password": "****", "credentials": {"user": "****", "deep": ["****", "****"]}, "UnsubscribeURL": "****"}
    assert mask(body) == hidden


def test_masked_json_text_is_still_json() -> None:
    inner = json.dumps({"password": 'hun"ter2', "pan": "4111 1111 1111 1111", "b": 2})
    found = json.loads(mask_text(json.dumps({"body": inner})))
    assert json.loads(found["body"]) == {"password": "****", "pan": "411111******1111", "b": 2}


@pytest.mark.parametrize("text", [
    "bearer authentication failed", "the token expired", "Passed 3 of 4 checks", "secrets rotate monthly",
    "CPUUtilization above 90 (AVERAGE, 1 x 60 s)", "keyspace eu-west-3", "mail to ops@bridge.example", "10.0.0.1:8080",
    "+33 1 42 68 53 00", "i-0abc12def34567890", "arn:aws:secretsmanager:eu-west-3:111122223333:secret:vigie/slack",
    "https://app.datadoghq.eu/event/event?id=7879702138782271851",
])
def test_plain_words_stay(text: str) -> None:
    assert mask_text(text) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text(), inner), max_leaves=20))
def test_masking_never_fails_and_twice_is_once(value: object) -> None:
    once = mask(value)
    assert repr(mask(once)) == repr(once)


@pytest.mark.parametrize("text", [
    "4" * 50_000, "4 1" * 20_000, "4-" * 30_000, "1 " * 60_000, "6 " * 60_000,
    "secret='" * 5_000, "://" * 20_000, "FR76" * 10_000, "%34" * 20_000,
    "-----BEGIN PRIVATE KEY-----" * 500, "eyJ" * 20_000, "^" * 20_000, "token=" * 8_000, "bearer " * 8_000,
])
def test_hostile_text_costs_little(text: str) -> None:
    assert timeit.timeit(lambda: mask_text(text), timer=time.thread_time, number=1) < 5     # else minutes


def test_a_clean_body_is_not_even_copied() -> None:
    alarm = cloudwatch.alarm("pay-api-cpu", "ALARM", "pay-api", datetime(2026, 11, 22, tzinfo=UTC))
    assert mask(alarm) is alarm
