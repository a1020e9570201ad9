"""Chinese and English are complete: every word in the sources has its Chinese, with the same placeholders."""

import re

from config import messages

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]")


def test_every_message_has_its_chinese() -> None:
    kept = messages.kept()
    missing = []
    for message in messages.extracted():
        if not message.id:
            continue
        found = kept.get(message.id if isinstance(message.id, str) else message.id[0], context=message.context)
        texts = (found.string,) if found and isinstance(found.string, str) else (found.string if found else ("",))
        if not found or found.fuzzy or not all(texts):
            missing.append((message.context, message.id))
    assert missing == []


def test_the_chinese_has_the_placeholders_of_the_english() -> None:
    different = []
    for message in messages.kept():
        if not message.id:
            continue
        ids = (message.id,) if isinstance(message.id, str) else message.id
        wanted = {name for text in ids for name in PLACEHOLDER.findall(text)}
        texts = (message.string,) if isinstance(message.string, str) else message.string
        different += [(ids[0], text) for text in texts if text and set(PLACEHOLDER.findall(text)) != wanted]
    assert different == []


def test_nothing_is_kept_that_no_source_says() -> None:
    said = {(message.context, message.id) for message in messages.extracted() if message.id}
    assert [message.id for message in messages.kept() if message.id and (message.context, message.id) not in said] == []
