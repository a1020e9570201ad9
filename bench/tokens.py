"""Verifying clearances offline: the signature of each token and what it says, against the bare signature check.

Floor: Ed25519 over the 32 signed bytes with the same key, and nothing else. `ours` is in seconds for all tokens; to
reach: under 2 s for 10,000 on one core.
"""

import time
from datetime import date, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import signing
from bench import Result, Say, alternating
from documents import tokens

ROWS = 10_000
_FIRST = date(2026, 4, 1)


def run(*, rows: int, say: Say) -> Result:
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    keys = {signing.key_id(public): public}
    issued = [
        tokens.issue(uuid4(), valid_from=_FIRST, valid_until=_FIRST + timedelta(days=number % 30), key=key)
        for number in range(rows)
    ]
    body = bytes(32)
    signature = key.sign(body)

    def ours() -> None:
        for token in issued:
            tokens.verify(token, keys)

    def floor() -> None:
        for _ in issued:
            public.verify(signature, body)

    bare, whole = alternating(floor, ours, rounds=3)
    say(f"{rows:,} tokens, medians of 3 rounds\n")
    say(f"  bare signatures    {bare:8.2f} s\n")
    say(f"  verify             {whole:8.2f} s, {rows / whole:,.0f} a second\n")
    began = time.process_time()
    ours()
    say(f"  of one core        {time.process_time() - began:8.2f} s\n")
    return Result(ratio=whole / bare, floor=bare, ours=whole, unit="s", n=rows)
