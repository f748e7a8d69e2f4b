"""Scores of the form of a translation: broken encodings, loops, endings, lines, the variant of Chinese. Nothing of meaning."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence

import regex

from schemas.locales import Language

# Characters that Windows-1252 or Latin-1 give to the bytes 0x80 to 0xBF, which continue a character of UTF-8.
_CONT = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\ufffd]"
# What UTF-8 looks like if it is read so, by the byte it begins with: marks and accented letters of Latin scripts; the letters of
# other scripts, of which one sequence may be an accident of quotation marks ("café…”") and two are none.
_LATIN = re.compile(
    f"Ã{_CONT}|Â(?!\u00a0){_CONT}|(?<=[a-z0-9.,;:!?»])Â\u00a0|Å“(?=\\w)|[ÄÅ][\u0080-\u00bf‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]|â(?:€|\u0080|\u201a){_CONT}"
)
_OTHERS = re.compile(f"(?:[ÐÑØÙÚÛ×Ö]{_CONT}|[à-ï]{_CONT}{{2}}|ð{_CONT}{{2,3}})")
_BROKEN = regex.compile(r"[\ufffd\p{Cn}\p{Co}\p{Cs}\u0080-\u0084\u0086-\u009f]")


def broken(source: str, target: str) -> int:
    """How many characters of the target are no text: UTF-8 read as another encoding, or code points that stand for nothing.

    Those that the source has too do not count.
    """
    return max(0, _signs(target) - _signs(source))


def _signs(text: str) -> int:
    if text.isascii():
        return 0
    others = len(_OTHERS.findall(text))
    return len(_LATIN.findall(text)) + (others if others > 1 else 0) + len(_BROKEN.findall(text))


_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Units between which a loop is looked for: decoders repeat a few words, or a few characters where words are not spaced.
_LONGEST_PERIOD = 12


def looped(text: str, language: Language) -> float:
    """Share of a text, in words (characters where words are not spaced), that only says again what stands right before it.

    The longest run in which every unit equals the one some fixed distance before, twice at least, or a half that says the
    other again. What is said three times in a row, two words or three characters at least, counts as half of the text at least: none
    of 17,000 documents of human translations does so.
    """
    tokens: Sequence[str] = _WORD.findall(text.casefold()) if language.spaced else [c for c in text if c.isalnum()]
    n = len(tokens)
    if n < 2:
        return 0.0
    half, shortest = n // 2, 2 if language.spaced else 6  # 555, haha
    longest = half if n % 2 == 0 and tokens[:half] == tokens[half:] else 0
    if len({*zip(*(tokens[i:] for i in range(shortest)), strict=False)}) == max(0, n - shortest + 1):
        return longest / n  # no stretch that long comes twice
    thrice = False
    for period in range(1, min(_LONGEST_PERIOD, half) + 1):
        run = best = 0
        for a, b in zip(tokens, tokens[period:], strict=False):
            run = run + 1 if a == b else 0
            if run > best:
                best = run
        if best >= max(2 * period, shortest) and best > longest:
            longest = best
        thrice = thrice or (best >= 2 * period and period >= (2 if language.spaced else 3))
    return max(longest / n, 0.5 if thrice else 0.0)


# What a sentence ends with in our languages, past quotes, brackets, emoji and white space.
_LAST = regex.compile(r"(?r)[\s\p{Pe}\p{Pf}\p{Pi}\"'”’»」』）)\]*_~`\p{So}\p{Sk}\ufe0f\u200d]*")
_STOPS = frozenset(".!?…。！？؟।॥|:：;；؛۔")


def ends_alike(source: str, target: str, language: Language) -> float | None:
    """Whether the target of a source that ends with a mark, as sentences do, ends with one too; None where a language has none.

    A closing quotation mark or bracket does as well: Japanese puts no full stop before it. A target may have a mark where its
    source has none: translators finish what prompts leave open.
    """
    if language.code == "tha_Thai":
        return None
    return float(not _stops(source) or _stops(target) or target.rstrip()[-1:] in _CLOSING)


_CLOSING = frozenset("\"'”’»」』）)")


def _stops(text: str) -> bool:
    past = _LAST.match(text)
    return past is not None and text[: past.start()][-1:] in _STOPS


def lines_kept(source: str, target: str) -> float:
    """Lines with text on the side with fewer of them over those on the other."""
    mine, theirs = (sum(bool(line.strip()) for line in text.splitlines()) for text in (source, target))
    return min(mine, theirs) / max(mine, theirs) if mine and theirs else float(mine == theirs)


_SYMBOL = regex.compile(r"(?![0-9#*©®™])\p{Emoji_Presentation}|\p{Extended_Pictographic}(?=\ufe0f)")


def emoji_kept(source: str, target: str) -> float:
    """Emoji that both sides have, over those of the side with more; 1 where neither has any."""
    mine, theirs = (Counter(_SYMBOL.findall(text) if not text.isascii() else ()) for text in (source, target))
    most = max(mine.total(), theirs.total())
    return (mine & theirs).total() / most if most else 1.0


def variant_share(target: str, language: Language) -> float | None:
    """Share of the Chinese characters that tell Simplified from Traditional writing which are of the language's own.

    GB 2312 was made for Simplified, Big5 for Traditional writing: a character that only one of them has tells.
    None for other languages.
    """
    if not language.code.startswith("zho"):
        return None
    told = [tells for tells in map(variant_of, target) if tells]
    return told.count(-1 if language.code == "zho_Hans" else 1) / len(told) if told else 1.0


@functools.cache
def variant_of(char: str) -> int:
    """-1 for a Chinese character of Simplified writing only, 1 of Traditional only, 0 for all other characters."""
    return _has(char, "big5") - _has(char, "gb2312") if "\u4e00" <= char <= "\u9fff" else 0


def _has(char: str, encoding: str) -> bool:
    try:
        return bool(char.encode(encoding))
    except UnicodeEncodeError:
        return False
