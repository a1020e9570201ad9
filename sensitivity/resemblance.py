"""When two names of organisations look like the same organisation. Pure: text in, text and numbers out; no database.

A name is read into its *form*: words in plain ASCII, whatever script it was written in, so that PostgreSQL's trigrams
see them in any locale. Words of one meaning are one word in it (Universität, Univ., 大学: university). Two forms are
compared word by word, because letters alone cannot tell 北京大学 from 北京理工大学, or Northeastern from Northwestern.
*Blocks* are numbers that two names share if they may be similar: what is looked up, before anything is compared.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from os.path import commonprefix
from zlib import crc32

import opencc
from pypinyin import lazy_pinyin

from sensitivity.vocabulary import (
    CLASSES,
    COUNTRIES,
    FIELDS,
    HAN_PLACES,
    HAN_SHORT,
    HAN_WORDS,
    JOINING,
    JOINING_ABROAD,
    LEADING_FORMS,
    LEADING_FORMS_HAN,
    LEGAL_FORMS,
    LEGAL_FORMS_HAN,
    LETTERS,
    PHRASES,
    PLACES,
    PLAIN,
    SAME_WORD,
    WEAK,
    WEAK_OF_COMPANIES,
)

SIMILAR = 0.6
"""From this score on, a name is a possible match. Chosen on the tuning part of the labelled pairs."""
BY_INITIALS = 0.75
"""The score of a short form and the name whose initials it is: one of several that it may mean."""

MANY_WORDS = 12
"""Names of more words are only compared with those of the same words; so that no name has hundreds of blocks."""

# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

HAN = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # and kana: written without spaces
HANGUL = "\uac00-\ud7af"
_TOKEN = re.compile(f"[{HAN}{HANGUL}]+|[^\\s{HAN}{HANGUL}]+")
_SOLID = re.compile(f"[{HAN}{HANGUL}]")
_INITIALS = re.compile(r"(?<![^\W_])(?:[a-z][./])+[a-z]\b\.?")
_BRACKETED_FORM = re.compile(r"\((株|有|주)\)")
_BRACKETED_FORMS = {"株": "株式会社", "有": "有限会社", "주": " 주식회사 "}
_BRACKETS = re.compile(r"[(\[（【]([^()\[\]（）【】]*)[)\]）】]")


class _Plain(dict[int, str]):
    """One character as it is compared: simplified, without accent; a space for punctuation. Made as they are met.

    Character by character, not by phrase: both sides of a comparison are read alike, and a part reads like the whole.
    """

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain(chr(code))
        return plain


def _plain(letter: str) -> str:
    if letter in PLAIN:
        return PLAIN[letter]
    if letter in "'’‘ʼ`´" or "\u0300" <= letter <= "\u036f" or unicodedata.category(letter) == "Cf":
        return ""
    if _SOLID.match(letter) and letter.isalnum():
        return _simplified(letter)
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isascii() and base.isalnum():
        return base
    return letter if letter.isalnum() or unicodedata.category(letter)[0] == "M" else " "


@cache
def _converters() -> tuple[opencc.OpenCC, opencc.OpenCC]:
    return opencc.OpenCC("jp2t"), opencc.OpenCC("t2s")


def _simplified(letter: str) -> str:
    japanese, simplify = _converters()
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:  # 沢 and 広 are no Chinese characters; 芸 is one, with a meaning of its own
        letter = japanese.convert(letter)
    for _turn in range(3):
        letter, before = simplify.convert(letter), letter
        if letter == before:
            break
    return letter


_PLAIN = _Plain()


def words(name: str) -> list[str]:
    """The words of a name without case, width, accents and punctuation; a run of Chinese is one word.

    A name of signs only is read as the numbers of its signs; what is blank has no words.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if "(" in text:
        text = _BRACKETED_FORM.sub(lambda found: _BRACKETED_FORMS[found[1]], text)
    if "." in text or "/" in text:
        text = _INITIALS.sub(lambda found: re.sub("[./]", "", found[0]), text)
    return _TOKEN.findall(text.translate(_PLAIN)) or [f"u{ord(sign):x}" for sign in text if not sign.isspace()]


def significant(found: list[str]) -> list[str]:
    """Without "the", "of" and "and", unless nothing else is there; Chinese that a space kept apart is joined."""
    kept: list[str] = []
    for word in [word for word in found if word not in JOINING] or found:
        if kept and _SOLID.match(word) and _SOLID.match(kept[-1]):
            kept[-1] += word
        else:
            kept.append(word)
    return kept


def without_legal_form(found: list[str]) -> list[str]:
    """Without legal forms at both ends. Something is always left."""
    while shorter := _one_form_less(found):
        found = shorter
    return found


def _one_form_less(found: list[str]) -> list[str]:
    if not found:
        return []
    last, first = found[-1], found[0]
    rest = "" if last in LEGAL_FORMS else _without_suffix(last, LEGAL_FORMS_HAN)
    if rest != last and (rest or len(found) > 1):
        return [*found[:-1], rest] if rest else found[:-1]
    rest = "" if first in LEADING_FORMS else _without_prefix(first, LEADING_FORMS_HAN)
    if rest != first and (rest or len(found) > 1):
        return [rest, *found[1:]] if rest else found[1:]
    return []


def _without_suffix(word: str, forms: Iterable[str]) -> str:
    return next((word.removesuffix(form) for form in forms if word.endswith(form)), word)


def _without_prefix(word: str, forms: Iterable[str]) -> str:
    return next((word.removeprefix(form) for form in forms if word.startswith(form)), word)


def joined(found: list[str]) -> str:
    """The words with spaces between those that have no Chinese at the seam."""
    text = "".join(found[:1])
    for left, right in pairwise(found):
        text += right if _SOLID.match(left) or _SOLID.match(right) else f" {right}"
    return text


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reading:
    """A name as it is compared: the words of its form, and the short forms that people make of it."""

    words: tuple[str, ...]
    shorts: frozenset[str]
    """Short forms of this name, such as mit, iit+delhi, 哈工大."""
    is_short_for: frozenset[str]
    """What this name itself would be, if it is a short form."""

    @property
    def form(self) -> str:
        return " ".join(self.words)


@cache
def _han_lexicon() -> tuple[dict[str, tuple[str, ...]], int]:
    lexicon: dict[str, tuple[str, ...]] = {place: ("".join(lazy_pinyin(place)),) for place in HAN_PLACES.split()}
    lexicon |= {word: tuple(english.split()) for word, english in HAN_WORDS.items()}
    return lexicon, max(map(len, lexicon))


@cache
def _places() -> frozenset[str]:
    lexicon, _longest = _han_lexicon()
    return PLACES | {lexicon[place][0] for place in HAN_PLACES.split()}


def _segments(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A run of Chinese in known words, the longest first, and what is between them; each with its words of the form."""
    lexicon, longest = _han_lexicon()
    start = at = 0
    while at < len(text):
        for size in range(min(longest, len(text) - at), 0, -1):
            known = lexicon.get(text[at : at + size])
            if known is not None and (size > 1 or at + 1 == len(text) or not known):
                if start < at:
                    yield text[start:at], (_latin(text[start:at]),)
                yield text[at : at + size], known
                start = at = at + size
                break
        else:
            at += 1
    if start < len(text):
        yield text[start:], (_latin(text[start:]),)


def _latin(text: str) -> str:
    """Any script in ASCII letters: pinyin, the names of kana and hangul, Cyrillic and Greek letter by letter."""
    if text.isascii():
        return text
    found = []
    for part in lazy_pinyin(text):  # what is no Chinese character stays as it is
        for letter in part if not part.isascii() else [part]:
            if letter.isascii():
                found.append(letter)
            elif letter in LETTERS:
                found.append(LETTERS[letter])
            elif (title := unicodedata.name(letter, "")).startswith(("HIRAGANA", "KATAKANA", "HANGUL")):
                found.append(title.rsplit(" ", 1)[-1].lower().replace("-", ""))
            else:
                found.append(f"u{ord(letter):x}")
    return "".join(found)


@cache
def _slips() -> dict[str, tuple[str, str]]:
    """Long words that every second name has, with one letter missing: what they were meant to be."""
    meant = {word: same for word, same in SAME_WORD.items() if len(word) >= 8 and word.isascii() and " " not in same}
    meant |= {word: word for word in CLASSES | FIELDS if len(word) >= 7}
    return {gap: (word, same) for word, same in sorted(meant.items()) for gap in (word, *_gaps(word))}


def _gaps(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


@lru_cache(maxsize=20_000)
def _same_word(word: str) -> tuple[str, ...]:
    if (same := SAME_WORD.get(word)) is not None:
        return tuple(same.split())
    latin = _latin(word)
    if latin in CLASSES or latin in FIELDS or latin in _places():
        return (latin,)
    if (same := SAME_WORD.get(latin)) is not None:
        return tuple(same.split())
    if latin.endswith("s"):
        for stem in (latin[:-3] + "y" if latin.endswith("ies") else "", latin[:-1]):
            if stem in CLASSES or stem in FIELDS:
                return (stem,)
    if len(latin) >= 6:
        slips = _slips()
        for gap in (latin, *_gaps(latin)):
            if (meant := slips.get(gap)) is not None and _edits(latin, meant[0], 1) <= 1:
                return (meant[1],)
    return (latin,)


def _phrased(found: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for word in found:
        kept.append(word)
        for size in (4, 3, 2):
            if len(kept) >= size and (phrase := PHRASES.get(tuple(kept[-size:]))) is not None:
                kept[-size:] = phrase
    return tuple(kept)


@lru_cache(maxsize=4_096)
def read(name: str) -> Reading:
    """The name as one piece of text. A blank one has no words."""
    full = significant(words(name))
    core = without_legal_form(full)
    form: list[str] = []
    segments: list[str] = []
    for word in core:
        if _SOLID.match(word):
            for chars, known in _segments(word):
                form += known
                segments += [chars] if known else []
        elif word not in JOINING_ABROAD or len(core) == 1:
            form += _same_word(word)
    compared = _phrased(form) or tuple(_latin(word) for word in core)
    shorts: set[str] = set()
    short_for: set[str] = set()
    if not any(map(_SOLID.match, core)):
        spelt = [_latin(word) for word in core if word not in JOINING_ABROAD] or core
        for size in range(len(core), len(full) + 1):  # TSMC: some legal forms count
            shorts |= _initials([_latin(word) for word in full[:size] if word not in JOINING_ABROAD])
        shorts |= _initials(core)
        shorts |= _initials_and_rest(spelt, compared)
        if len(spelt) == 1 and 3 <= len(spelt[0]) <= 8:
            short_for.add(spelt[0])
        elif len(spelt) > 1 and 2 <= len(spelt[0]) <= 5 and len(compared) > 1 and compared[0] == spelt[0]:
            short_for.add("+".join((spelt[0], *sorted(compared[1:]))))
        compared = _without_own_initials(compared)
    elif len(core) == 1:
        shorts = _han_shorts(segments)
        short_for = {core[0]} if 2 <= len(core[0]) <= 6 else set()
        shorts -= short_for
    return Reading(compared, frozenset(shorts), frozenset(short_for))


def _initials(found: list[str]) -> set[str]:
    return {"".join(word[:1] for word in found)} if 3 <= len(found) <= 8 else set()


def _initials_and_rest(spelt: list[str], compared: tuple[str, ...]) -> set[str]:
    """iit+delhi for Indian Institute of Technology Delhi: initials of the first words, then the rest."""
    return {
        "+".join(("".join(word[0] for word in spelt[:size]), *sorted(_phrased(_all_same(spelt[size:])))))
        for size in range(2, min(len(spelt), 6))
    }


def _all_same(found: Iterable[str]) -> list[str]:
    return [same for word in found for same in _same_word(word)]


def _without_own_initials(compared: tuple[str, ...]) -> tuple[str, ...]:
    """Massachusetts Institute of Technology MIT: the last or first word says again what the others say."""
    for own, rest in ((compared[-1:], compared[:-1]), (compared[:1], compared[1:])):
        if rest and own[0] in _initials(list(rest)):
            return rest
    return compared


def _han_shorts(segments: list[str]) -> set[str]:
    """北航, 哈工大, 上海交大: what people make of a long Chinese name, from the beginnings of its words."""
    if len(segments) < 2:
        return set()
    parts = [HAN_SHORT.get(segment, segment[0]) for segment in segments]
    found = {"".join(parts), segments[0] + "".join(parts[1:])}
    if len(segments) == 2 and len(segments[-1]) > 1:
        found.add(parts[0] + segments[1])
    if len(segments) > 2:
        found |= {parts[0] + parts[1], parts[0] + parts[1] + parts[-1], parts[0][:1] + parts[1][:1]}
        found |= {parts[0] + parts[1][:1] + parts[-1], segments[0] + parts[1][:1] + parts[-1]}
        found |= {parts[0] + parts[1] + "".join(parts[2:-1])}
        if segments[0] in ("中国", "中华"):
            found.add("".join(parts[1:]))
    if len(segments) > 3:
        found.add(parts[0] + parts[2] + parts[-1])
    return {short for short in found if len(short) >= 2} - {"".join(segments)}


def readings(name: str) -> list[Reading]:
    """The ways to read a name: as it stands, without what is in brackets, and each script of a name in two."""
    found = [name]
    outside = _BRACKETS.sub(" ", name).strip()
    if outside and outside != name:
        found = [outside, name]
        inside = [part for part in _BRACKETS.findall(name) if len(part) > 2 and _two_scripts(part + outside)]
        found += inside
    parts = _scripts(outside or name)
    return [one for one in dict.fromkeys(map(read, [*parts, *found])) if one.words]


def _two_scripts(text: str) -> bool:
    return len(_scripts(text)) == 2


def _scripts(name: str) -> list[str]:
    """The Chinese and the Latin part of a name written in both, if each can stand alone; else nothing."""
    han = "".join(re.findall(f"[{HAN}]+", name))
    latin = " ".join(re.sub(f"[{HAN}]+", " ", name).split())
    return [latin, han] if len(han) >= 3 and sum(map(str.isalpha, latin)) >= 6 else []


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_name(word: str) -> bool:
    """Whether a word can tell organisations apart: neither what sort they are, nor their field."""
    return word not in CLASSES and word not in FIELDS


def word_blocks(reading: Reading) -> set[str]:
    """What two names share that differ in one word, in a slip in one word, or in spaces within a name."""
    found = tuple(sorted(set(reading.words)))
    blocks = {" ".join(found)}
    names = [word for word in reading.words if _is_name(word)]
    rest = sorted({word for word in found if not _is_name(word)})
    blocks.add(" ".join(sorted(["".join(names), *rest])))
    for word in found if 1 < len(found) <= MANY_WORDS else ():
        others = [other for other in found if other != word]
        if any(map(_is_name, others)):
            blocks.add(" ".join(others))
    for word in found if len(found) <= MANY_WORDS else ():
        if len(word) >= 5 and _is_name(word):
            others = [other for other in found if other != word]
            blocks |= {" ".join((f"{word[:3]}*", *others)), " ".join((f"*{word[-3:]}", *others))}
    return blocks


def stored_blocks(found: Iterable[Reading]) -> set[str]:
    """What a name of an entry can be found by."""
    blocks: set[str] = set()
    for reading in found:
        blocks |= word_blocks(reading)
        blocks |= {f"<{short}" for short in reading.shorts} | {f">{short}" for short in reading.is_short_for}
    return blocks


def short_blocks(reading: Reading) -> set[str]:
    """What finds the names that this one is short for, and the short forms of this one; never two long names."""
    return {f"<{short}" for short in reading.is_short_for} | {f">{short}" for short in reading.shorts}


def numbers(blocks: Iterable[str]) -> list[int]:
    """Blocks as PostgreSQL's signed integers. Two that collide by chance cost a comparison, not an error."""
    return sorted({crc32(block.encode()) - 0x80000000 for block in blocks})


def in_version(number: int, version: int) -> int:
    """The number of a block in one version of a list: what the function sensitivity_blocks_in makes of it."""
    mixed = (number ^ (version * 0x9E3779B1)) & 0xFFFFFFFF
    return mixed - 0x100000000 if mixed & 0x80000000 else mixed


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _edits(a: str, b: str, limit: int) -> int:
    """How many letters are wrong, missing, too much or swapped with the next; counted up to `limit`."""
    if abs(len(a) - len(b)) > limit or len(set(a) ^ set(b)) > 2 * limit:
        return limit + 1
    start = len(commonprefix((a, b)))
    end = len(commonprefix((a[start:][::-1], b[start:][::-1])))
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    if limit == 1 and max(len(a), len(b)) > 1 and a != b[::-1]:
        return 2
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def _slip(a: str, b: str) -> float:
    """What it costs to take one name for the other: nothing, a little for a slip, 1 for another name."""
    if a == b:
        return 0.0
    shorter = min(len(a), len(b))
    if shorter < 5 or a.isdigit() or b.isdigit():
        return 1.0
    limit = 2 if shorter >= 9 and a[0] == b[0] else 1
    edits = _edits(a, b, limit)
    return 0.12 * edits if edits <= limit else 1.0


def score(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """How much two forms look like one organisation, from 0 to 1: one, less what each difference costs."""
    cost = 0.0
    names_a, names_b = _names(a), _names(b)
    left_a = [word for word in names_a if word not in names_b]
    left_b = [word for word in names_b if word not in names_a]
    shared = [word for word in names_a if word in names_b]
    if left_a or left_b:
        whole = _slip("".join(names_a), "".join(names_b))
        if left_a and left_b and whole < 1 and not _both_places(left_a, left_b):
            cost += whole
            shared = names_a
        else:
            slips, left_a, left_b, taken = _aligned(left_a, left_b)
            cost += slips
            shared = shared + taken
            cost += _of_names_left(left_a, left_b, shared, last=(a[-1], b[-1]))
    fields_a, fields_b = _fields(a), _fields(b)
    classes_a, classes_b = set(a) & CLASSES, set(b) & CLASSES
    own = any(word not in _places() and not word.isdigit() for word in shared)
    if not shared and not (fields_a & fields_b and not names_a and not names_b):
        return 0.0
    cost += _of_fields(fields_a, fields_b, of_company=own and not (classes_a | classes_b))
    if classes_a != classes_b:
        if classes_a - classes_b and classes_b - classes_a:
            cost += 0.5
        elif classes_a and classes_b:
            cost += 0.45
        else:
            cost += 0.15 if own or (fields_a & fields_b) else 0.45
    if cost == 0 and a != b:
        cost = 0.05  # the order
    return max(0.0, 1.0 - cost)


def score_of_forms(asked: tuple[str, ...], stored: str) -> float:
    """The score of a reading against a stored form, which holds one reading or several."""
    return max(score(asked, tuple(form.split())) for form in stored.split("|"))


def _names(form: tuple[str, ...]) -> list[str]:
    return [word for word in form if _is_name(word)]


def _fields(form: tuple[str, ...]) -> set[str]:
    return {word for word in form if word in FIELDS and word not in CLASSES}


def _both_places(a: list[str], b: list[str]) -> bool:
    places = _places()
    return bool(a and b) and all(word in places for word in a) and all(word in places for word in b)


def _aligned(a: list[str], b: list[str]) -> tuple[float, list[str], list[str], list[str]]:
    """Words that are each other but for a slip: what the slips cost, what is left of both, what was paired."""
    cost, taken, left = 0.0, [], []
    places = _places()
    for word in a:
        best = min(
            ((_slip(word, other), other) for other in b if not (word in places and other in places)), default=(1.0, "")
        )
        if best[0] < 1:
            cost += best[0]
            taken.append(best[1])
            b = [other for other in b if other != best[1]]
        else:
            left.append(word)
    return cost, left, b, taken


def _of_names_left(a: list[str], b: list[str], shared: list[str], *, last: tuple[str, str]) -> float:
    """What it costs that names are left over: little if they only say where an organisation is."""
    if a and b:
        return 0.6
    places = _places()
    left = a or b
    own = any(word not in places for word in shared)
    if own and all(word in places for word in left):
        return 0.15 * len(left)
    if shared and len(left) == 1 and left[0] in COUNTRIES and left[0] == last[0 if a else 1]:
        return 0.2
    return 0.5


def _of_fields(a: set[str], b: set[str], *, of_company: bool) -> float:
    cost = 0.0
    for word in a ^ b:
        if word in WEAK or (of_company and word in WEAK_OF_COMPANIES):
            cost += 0.1
        else:
            cost += 0.45
    return cost
