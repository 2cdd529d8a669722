"""Masks what must never be kept or shown: card numbers, IBANs, secrets; on every body before it is stored or posted."""

import re
from itertools import accumulate
from typing import Any
from urllib.parse import unquote

MASK = "****"

# --- secrets: by name (the value follows plainly, in JSON, in escaped JSON, percent-encoded) and by shape ------------

_NAME = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|authorization|cookie|cvv2?|cvc2?|connection[_-]?string|"
    r"(?:api|app|application|access|secret|private|signing|encryption|master|account)[_ .-]?key(?:[_-]?id)?"
)
_SECRET_KEYS = (
    "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "credentials", "authorization",
    "cookie", "cvv", "cvv2", "cvc", "cvc2", "connectionstring", "apikey", "appkey", "applicationkey", "accesskey",
    "accesskeyid", "secretkey", "privatekey", "signingkey", "encryptionkey", "masterkey", "accountkey", "subscribeurl",
)
# After an account id, `secret:` is a part of an ARN, which names a secret and does not hold it.
_NAMED = re.compile(
    rf"(?<!\d:)(?P<name>(?:{_NAME})(?:\\*[\"']|%22|%27)?\s*(?:=>|[=:]|%3[AD])\s*)"
    r"(?P<open>\\*[\"']|%22|%27)?"
    r"(?P<value>(?(open)(?:(?!(?<!\\)(?P=open)).)+|(?:(?:bearer|basic|digest|token)(?:\s+|%20|\+))?[^\s\"'\\&,;<>(){}\[\]]+))",
    re.IGNORECASE,
)
# None reads on past where it could begin again: a body made to slow us down costs no more than its length.
_SHAPES = tuple(
    (re.compile(pattern, flags), shown)
    for pattern, flags, shown in (
        (r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL, r"\1PRIVATE KEY ****"),
        (r"\beyJ(?:(?!-eyJ)[\w-]){8,}\.[\w-]{8,}(?:\.[\w-]*)*", 0, MASK),
        (r"\b(AKIA|ASIA)[A-Z0-9]{16}\b", 0, r"\1****"),
        (r"\b(xox[a-z]|xapp)-[\w-]{8,}", re.IGNORECASE, r"\1-****"),
        (r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]+", 0, r"\1****"),
        (r"\b([rs]k_(?:live|test)_|whsec_)[\w-]{8,}", 0, r"\1****"),
        (r"\b(bearer(?:\s+|%20|\+))(?=[\w.~+/-]*[\d._~+/=-]|\w{20})[\w.~+/=-]{6,}", re.IGNORECASE, r"\1****"),
        (r"([a-z][a-z0-9+.-]{1,20}(?:://|%3A%2F%2F))(?:(?!%3A%2F%2F)[^\s/?#@\"'<>\\])+(?:@|%40)", re.IGNORECASE, r"\1****@"),
        (r"(Action(?:=|%3D)(?:Unsubscribe|ConfirmSubscription))[^\s\"'\\<>]*", 0, r"\1&****"),
    )
)
_TRIGGERS = (
    "pass", "pwd", "secret", "token", "credential", "authorization", "cookie", "cv", "string", "eyj", "akia",
    "asia", "xox", "xapp", "hooks.slack", "k_live_", "k_test_", "whsec_", "bearer", "subscri",
)
_SOME_KEY = re.compile("[a-z][_ .-]*key")            # api_key; a field that is plainly called `key` is none

# --- card numbers ---------------------------------------------------------------------------------------------------

_GAP = r"(?:[ \t+\u00a0\u2007\u2009\u202f\u2010-\u2013-]|%20|%2[dD]|%[cC]2%[aA]0|\\+u00[aA]0|\\+u00[2][0dD])"
_UUID = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])"
# A number begins after anything but a letter or digit, unless those are an escape, a track's sentinel or a card word.
_BEGIN = (
    r"(?:(?<![0-9A-Za-z%])|(?<=%[0-9A-Fa-f]{2})(?<!%3[0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%B)"
    r"|(?<=card)|(?<=CARD)|(?<=Card)|(?<=PAN)|(?<=pan))"
)
_END = r"(?![0-9]|[0-9A-Fa-f]{2}|[A-Fa-f]\b)"
_TRACK = r"(?P<track>(?:=|%3D)[0-9]{4,}\??|\^[^^\r\n]{2,40}\^[0-9]{4,}[^\s?]*\??)?"
_NUMBER = re.compile(rf"{_UUID}|{_BEGIN}(?P<digits>[0-9](?:{_GAP}?[0-9]){{12,}}){_END}{_TRACK}")
_ENCODED = re.compile(r"(?:%3[0-9](?:%20|%2[dD]|[ +-])?){13,23}|(?:\\+u003[0-9](?:\\+u002[0dD]|[ -])?){13,23}")
_HINT = re.compile("[0-9][0-9 +\\-\t\u0080-\uffff]{12}")     # one set of signs is the cheapest search
_PERCENT = re.compile("%[234C]", re.IGNORECASE)
_CARD_WORD = re.compile(
    r"(?<![a-z])(?:pan|cb|cc)(?![a-z])|card|carte|visa|master|amex|maestro|union ?pay|jcb|diners|discover",
    re.IGNORECASE,
)
_WORD_REACH = 32
_SHORTEST, _LONGEST = 13, 19


def _prefixes(words: str) -> tuple[str, ...]:
    """'51-55 34' spelled out as every prefix."""
    found: list[str] = []
    for word in words.split():
        first, _, last = word.partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return tuple(found)


# Issuers by length of the number; from 17 digits on it also needs a gap or a card word near, since ids look alike.
_MAESTRO = "5018 5020 5038 5893 6304 6759 6761-6763"
_LONGER = _prefixes(f"4 50 56-58 6 3528-3589 300-305 3095 36 38 39 81 {_MAESTRO}")
_ISSUERS = {
    13: _prefixes(f"4 {_MAESTRO}"),
    14: _prefixes(f"300-305 3095 36 38 39 {_MAESTRO}"),
    15: _prefixes(f"34 37 {_MAESTRO}"),
    16: _prefixes("4 50-58 2221-2720 2200-2204 3528-3589 300-305 3095 36 38 39 6 81"),
    17: _LONGER,
    18: _LONGER,
    19: _LONGER,
}
_FIRST_DIGITS = {prefix[0] for prefixes in _ISSUERS.values() for prefix in prefixes}
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

# --- IBANs ----------------------------------------------------------------------------------------------------------

_IBAN_LANDS = {          # by length
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN_GAP = r"(?:[ \u00a0\u202f-]|%20|\+)"
_IBAN = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))(?i:"
    + "|".join(
        rf"(?:{lands.replace(' ', '|')})[0-9]{{2}}(?:{_IBAN_GAP}?[0-9A-Z]){{{size - 4}}}"
        for size, lands in _IBAN_LANDS.items()
    )
    + r")(?![0-9A-Za-z])"
)
_IBAN_HINT = re.compile("[0-9][0-9](?<=[A-Za-z]{2}[0-9]{2})[ +\\-0-9A-Za-z\u0080-\uffff]{11}")


_hidden: set[str] = set()       # values that this process has read out of a secret store for a runbook
SHORTEST_HIDDEN = 4


def hide(secret: str) -> None:
    """From now on this value is masked wherever it turns up: an action that was given it may print it."""
    if len(secret) >= SHORTEST_HIDDEN:
        _hidden.add(secret)


def mask(value: Any) -> Any:
    """The same value without card numbers, IBANs and secrets; the very same object where there is nothing to hide."""
    leaves: list[str] = []
    _gather(value, leaves)
    text = "\n".join(leaves)
    return _mask(value, "") if _may_hold_numbers(text) or _may_hold_secrets(text) or _holds_hidden(text) else value


def mask_text(text: str) -> str:
    """The text without card numbers, IBANs and secrets."""
    return _mask_text(text, "")


def _gather(value: Any, leaves: list[str]) -> None:
    if isinstance(value, str):
        leaves.append(value)
    elif isinstance(value, dict):
        leaves.extend(value)
        for item in value.values():
            _gather(item, leaves)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, leaves)
    elif isinstance(value, int | float) and abs(value) >= 1e11:
        leaves.append(str(value))


def _may_hold_numbers(text: str) -> bool:
    """Far cheaper than looking properly, and nearly always False."""
    return bool(_HINT.search(text) or _IBAN_HINT.search(text)) or _is_escaped(text)


def _holds_hidden(text: str) -> bool:
    return any(each in text for each in _hidden)


def _may_hold_secrets(text: str) -> bool:
    lowered = text.lower()
    if any(trigger in lowered for trigger in _TRIGGERS) or ("key" in lowered and _SOME_KEY.search(lowered)):
        return True
    return "//" in text and ("@" in text or "%40" in text)


def _is_escaped(text: str) -> bool:
    return ("%" in text and _PERCENT.search(text) is not None) or ("\\" in text and "\\u00" in text)


def _mask(value: Any, key: str) -> Any:
    """`key` is the name under which the value stands; under a secret's name nothing is shown."""
    if isinstance(value, dict):
        return {_mask_text(name, ""): _mask(item, key if _is_secret(key) else name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(item, key) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if _is_secret(key):
        return MASK
    if isinstance(value, str):
        return _mask_text(value, key)
    shown = _mask_text(str(value), key)
    return value if shown == str(value) else shown


def _is_secret(key: str) -> bool:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "").endswith(_SECRET_KEYS)


def _mask_text(text: str, key: str) -> str:
    for each in sorted(_hidden, key=len, reverse=True):
        text = text.replace(each, MASK)
    if len(text) >= _SHORTEST and _may_hold_numbers(text):
        text = _IBAN.sub(_mask_iban, _mask_cards(text, key))
    return _mask_secrets(text) if _may_hold_secrets(text) else text


def _mask_cards(text: str, key: str) -> str:
    named = _CARD_WORD.search(key) is not None
    return _NUMBER.sub(lambda found: _mask_number(found, named), _ENCODED.sub(_unescape, text))


def _mask_secrets(text: str) -> str:
    text = _NAMED.sub(_mask_named, text)
    for pattern, shown in _SHAPES:
        text = pattern.sub(shown, text)
    return text


def _mask_named(found: re.Match[str]) -> str:
    return f"{found['name']}{found['open'] or ''}{MASK}"


def _unescape(found: re.Match[str]) -> str:
    """Digits written as %34%31 or \\u0034\\u0031, written plainly where they are a card number."""
    plain = re.sub(r"\\+u00([0-9a-fA-F]{2})", r"%\1", found[0])
    digits = re.sub(r"[^0-9]", "", unquote(plain))
    return _shown(digits) if _is_card(digits) else found[0]


def _mask_number(found: re.Match[str], named: bool) -> str:
    run = found["digits"]
    if run is None:                                  # a UUID
        return found[0]
    groups = re.split(_GAP, run)
    tail = f"={MASK}" if found["track"] else ""
    if len(groups) == 1:
        before = found.string[max(0, found.start() - _WORD_REACH): found.start()]
        likely = named or len(run) < 17 or _CARD_WORD.search(before)
        return _shown(run) + tail if likely and _is_card(run) else found[0]
    return _mask_groups(run, groups) + (tail or found["track"] or "")


def _mask_groups(run: str, groups: list[str]) -> str:
    """Digits in groups: card numbers may have other numbers before (a date), between and after them (a security code)."""
    blanked = re.sub(_GAP, lambda gap: " " * len(gap[0]), run)
    spans = [match.span() for match in re.finditer("[0-9]+", blanked)]
    digits, begins = "".join(groups), list(accumulate(map(len, groups), initial=0))
    shown, kept, first = [], 0, 0
    while first < len(groups):
        likely = len(groups[first]) >= 4 or len(groups[first]) == len(groups[-1])
        after = _card_end(digits, begins, first) if likely else first
        if after > first:
            shown += [run[kept: spans[first][0]], _shown(digits[begins[first]: begins[after]])]
            kept = spans[after - 1][1]
        first = max(after, first + 1)
    return "".join([*shown, run[kept:]])


def _card_end(digits: str, begins: list[int], first: int) -> int:
    """The group after the longest card number that begins with this group; the group itself when none does."""
    begin = begins[first]
    if digits[begin] in _FIRST_DIGITS:
        for after in range(min(len(begins) - 1, first + _LONGEST), first, -1):
            size = begins[after] - begin
            if _SHORTEST <= size <= _LONGEST and _is_card(digits[begin: begins[after]]):
                return after
    return first


def _shown(digits: str) -> str:
    """First six and last four: the most that PCI DSS 3.4.1 lets anyone see."""
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"


def _is_card(digits: str) -> bool:
    return _luhn(digits) and digits.startswith(_ISSUERS.get(len(digits), ()))      # the sum is cheaper than the many prefixes


def _luhn(digits: str) -> bool:
    values = digits.encode().translate(_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def _mask_iban(found: re.Match[str]) -> str:
    plain = re.sub(_IBAN_GAP, "", found[0]).upper()
    if int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 != 1:
        return found[0]
    return f"{plain[:4]}{MASK}{plain[-4:]}"
