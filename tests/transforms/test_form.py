from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.form import broken, emoji_kept, ends_alike, lines_kept, looped, variant_share

DE, FR, HI, TH, JA, ZH, ZHT = (
    LANGUAGES[c] for c in ("deu_Latn", "fra_Latn", "hin_Deva", "tha_Thai", "jpn_Jpan", "zho_Hans", "zho_Hant")
)
GOOD = [
    "Grüße aus Köln, das kostet 5 € – „wirklich“!", "Où est l’été ? « À Paris », dit-elle ; c’est là.", "¿Qué pasó, señor Núñez? ¡Así es!",
    "مرحبا، كيف حالك؟", "नमस्ते, आप कैसे हैं?", "これはペンです。「そうですか」と言った。", "สวัสดีครับ คุณสบายดีไหม", "你好，你怎么样？“很好”",
    "Im Café…“ sagte er. Viel Spaß“", "Übergröße »Größe« 20 °C ½ ©",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_text_read_in_the_wrong_encoding_is_broken_and_right_text_is_not(text: str, encoding: str) -> None:
    assert broken("", text) == 0
    assert broken("", text.encode().decode(encoding, "replace")) > 0


def test_broken_characters_of_the_source_are_not_the_translations_fault() -> None:
    assert broken("Ã¼ber", "Ã¼ber") == 0
    assert broken("fine", "gut \ufffd") == 1


@pytest.mark.parametrize(("text", "language", "share"), [
    ("Ich mag Katzen. Ich mag Katzen. Ich mag Katzen. Ich mag Katzen.", DE, 9 / 12),
    ("Gib mir das Brot. Gib mir das Brot.", DE, 0.5),
    ("こんにちはこんにちはこんにちはこんにちは", JA, 0.75),
    ("Wie kann ich heute Abend ein Brot backen, das allen schmeckt?", DE, 0),
    ("Das ist sehr, sehr gut.", DE, 0),
    ("ฮ่าๆ 555555", TH, 0),
    ("", DE, 0),
])  # fmt: skip
def test_what_says_the_same_again_is_a_loop(text: str, language: object, share: float) -> None:
    assert looped(text, language) == pytest.approx(share, abs=0.01)  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "target", "language", "alike"), [
    ("Where is it?", "Wo ist es?", DE, 1), ("Where is it?", "Wo ist", DE, 0), ("Where is it", "Wo ist es.", DE, 1),
    ('"Go," he said.', "„Geh“, sagte er", DE, 0), ("He said, \"Go.\"", "彼は「行け」と言った。", JA, 1), ("\"Go.\"", "「行け」", JA, 1),
    ("Go now.", "अभी जाओ।", HI, 1), ("Go now.", "ไปเดี๋ยวนี้", TH, None), ("Go. \U0001f642", "Geh. \U0001f642", DE, 1),
])  # fmt: skip
def test_a_translation_ends_where_its_source_ends(
    source: str, target: str, language: object, alike: float | None
) -> None:
    assert ends_alike(source, target, language) == alike  # type: ignore[arg-type]


def test_lines_and_emoji_are_counted_on_both_sides() -> None:
    assert lines_kept("a\n\nb\nc", "a\nb\n\nc\n") == 1
    assert lines_kept("a\nb", "a b") == 0.5
    assert emoji_kept("Hi \U0001f600 \u2764\ufe0f", "Hallo \U0001f600") == 0.5
    assert emoji_kept("5 #1 ©", "fünf") == 1


def test_chinese_is_of_its_languages_variant() -> None:
    assert variant_share("这是简体字", ZH) == 1 and variant_share("這是繁體字", ZH) == 0
    assert variant_share("這是繁體字", ZHT) == 1 and variant_share("这是简体字", ZHT) == 0
    assert variant_share("人山人海", ZH) == variant_share("人山人海", ZHT) == 1, "what both write says nothing"
    assert variant_share("これは繁體", JA) is None


@given(st.text(max_size=200), st.sampled_from(sorted(LANGUAGES)))
def test_form_of_any_text_can_be_scored(text: str, code: str) -> None:
    language = LANGUAGES[code]
    assert broken(text, text) == 0
    assert 0 <= looped(text, language) < 1
    assert ends_alike(text, text, language) in (None, 1)
    assert lines_kept(text, text) == 1 and emoji_kept(text, text) == 1


def test_what_is_said_three_times_in_a_row_is_a_loop_however_long_the_text() -> None:
    long = " ".join(f"Satz Nummer {chr(97 + i)} sagt etwas anderes als {chr(98 + i)}." for i in range(20))
    assert looped(f"{long} ganz weit ganz weit ganz weit", DE) >= 0.5
    assert looped(f"{long} ganz weit ganz weit", DE) < 0.1
    assert looped(f"{long} nein nein nein", DE) < 0.1, "one word may be said again and again"
