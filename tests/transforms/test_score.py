from dataclasses import replace

import pytest

from schemas.locales import LANGUAGES
from schemas.rows import Edit, Segment, Text
from schemas.scores import SCORES
from transforms.align import Comparing, Comparison, units
from transforms.score import (
    asking,
    copied_share,
    edits_kept,
    foreign_share,
    load_concepts,
    repeated_share,
    score_text,
    script_share,
    toxicity,
)

EN, DE, HI, TH, JA, AR = (
    LANGUAGES[c] for c in ("eng_Latn", "deu_Latn", "hin_Deva", "tha_Thai", "jpn_Jpan", "arb_Arab")
)


def test_script_share_counts_letters_of_the_language_and_forgives_kept_names() -> None:
    assert script_share("मैं CNN पर पढ़ता हूँ", "I read CNN", HI) == 1
    assert script_share("मैं news पर पढ़ता हूँ", "I read the news", HI) < 1
    assert script_share("How are you?", "How are you?", TH) == 0
    assert script_share("123", "123", TH) == 1


def test_a_copy_of_the_source_is_seen_and_names_are_not_copies() -> None:
    assert copied_share("How can I bake bread tomorrow?", "How can I bake bread tomorrow?", []) == 1
    assert copied_share("I met Friedrich", "Ich traf Friedrich", []) == 0
    assert copied_share("I like sauerkraut soup", "Ich mag Sauerkraut", ["sauerkraut"]) == 0


def test_loops_are_repetition_and_ordinary_text_is_not() -> None:
    assert repeated_share("es tut mir leid " * 10, DE) > 0.8
    assert repeated_share("Wie kann ich heute Abend ein Brot backen, das allen schmeckt?", DE) == 0
    assert repeated_share("ごめんなさい、わかりません。" * 8, JA) > 0.5


def test_an_edit_is_kept_when_any_of_its_native_forms_stands_in_the_translation() -> None:
    edit = Edit(0, 3, "tax_office", "swap", "the IRS", "the Finanzamt", ("Finanzamt", "beim Finanzamt"), "authored")
    assert edits_kept([edit], "Ich rufe das finanzamt an") == 1
    assert edits_kept([edit], "Ich rufe an") == 0
    assert edits_kept([], "Ich rufe an") is None


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_language_has_every_concept(code: str) -> None:
    assert [concept for concept, _ in load_concepts(code)[1]] == [
        concept for concept, _ in load_concepts("eng_Latn")[1]
    ]


def test_lost_and_added_concepts_are_counted() -> None:
    assert toxicity("I hate women", "eng_Latn", "Ich hasse Frauen", "deu_Latn") == (0, 0)
    assert toxicity("I hate women", "eng_Latn", "Ich mag Frauen", "deu_Latn") == (0, 1)
    assert toxicity("I like women", "eng_Latn", "Ich hasse Frauen", "deu_Latn") == (1, 0)


def scored(text: Text, compared: dict[Comparing, Comparison]) -> Text:
    return score_text(text, EN, DE, 1.1, compared, lambda t, lang: (0.9, 0.1), lambda t, lang: 0.8)


SEGMENT = Segment("How are you?", "Wie geht es dir?", -0.1, -0.5, 0, ())
TEXT = Text("prompt", 0, "How are you?", "How are you?", "Wie geht es dir?", segments=(SEGMENT,))


def test_every_score_of_the_table_is_computed() -> None:
    asked = asking(TEXT, EN, DE, 1.1)
    assert asked is not None
    done = scored(TEXT, {asked: Comparison(0.93, 0.91, -0.1)})
    assert set(done.scores) == {s.name for s in SCORES if s.by_score} - {"edits_kept", "variant"}
    assert done.not_judged == ()
    assert [done.scores[n] for n in ("similarity", "similarity_min", "coverage")] == [0.93, 0.91, -0.1]


def test_a_score_that_could_not_be_computed_is_not_judged_rather_than_passed() -> None:
    done = scored(TEXT, {})
    assert "similarity" in done.not_judged and "similarity" not in done.scores


def test_a_text_that_was_carried_through_is_not_scored() -> None:
    assert scored(Text("response", 1, None), {}).scores == {}
    assert scored(Text("response", 1, "None", "None", "None"), {}).scores == {}


def test_code_and_urls_have_no_say_in_language_length_or_meaning() -> None:
    code = "\n```\nprint('a long line of English code that nobody translates')\n```"
    seen: list[str] = []

    def identify(text: str, language: object) -> tuple[float, float]:
        seen.append(text)
        return 0.9, 0.1

    text = Text("prompt", 0, TEXT.source, f"{TEXT.adapted}{code}", f"{TEXT.target}{code}", segments=(SEGMENT,))
    done = score_text(text, EN, DE, 1.1, {}, identify, lambda t, lang: 0.8)
    assert [s.strip() for s in seen] == ["Wie geht es dir?"] * 2, "the text and its sentence"
    assert done.scores["script_share"] == 1 and done.scores["copy"] == 0
    assert abs(done.scores["length_ratio"] - 16 / 12 / 1.1) < 0.1
    asked = asking(text, EN, DE, 1.1)
    assert asked is not None
    assert (asked.sources, asked.targets, asked.aligned) == (("How are you?",), ("Wie geht es dir?",), True)


def test_an_amount_is_kept_whether_or_not_its_thousands_are_parted() -> None:
    edit = Edit(0, 3, "money", "swap", "$500", "22,000 rupees", ("22,000 रुपये",), "cldr")
    assert edits_kept([edit], "22000 रुपये") == edits_kept([edit], "22,000 रुपये") == 1
    assert edits_kept([edit], "2,000 रुपये") == 0


def test_a_name_with_a_number_in_one_language_only_is_no_number() -> None:
    edit = Edit(8, 20, "holiday", "swap", "the Fourth of July", "Bastille Day", ("le 14 Juillet",), "authored")
    text = Text("prompt", 0, "x", "Open on Bastille Day?", "Ouvert le 14 Juillet ?", edits=(edit,), segments=(SEGMENT,))
    assert scored(text, {}).scores["numbers_found"] == 1
    assert scored(replace(text, edits=()), {}).scores["numbers_found"] == 0


@pytest.mark.parametrize(("source", "target", "kept"), [
    ("Well <laugh/> yes", "Na <lachen/> ja", 1), ("One<br/>two", "Eins<p/>zwei", 0), ("Use `a`", "Nimm `b`", 0),
])  # fmt: skip
def test_a_note_between_words_may_be_translated_and_a_piece_may_not(source: str, target: str, kept: float) -> None:
    text = Text("prompt", 0, source, source, target, segments=(SEGMENT,))
    assert scored(text, {}).scores["verbatim"] == kept


def test_in_the_sources_own_language_only_scores_of_one_language_apply() -> None:
    text = Text("prompt", 0, "How are you?", "How are you?", "How are you?")
    done = score_text(text, EN, EN, 1.0, {}, lambda t, lang: (0.9, 0.1), lambda t, lang: 0.8)
    assert set(done.scores) == {s.name for s in SCORES if not s.crosses and s.by_score} - {"variant"}
    assert done.not_judged == (), "not applicable is not the same as not judged"
    assert asking(done, EN, EN, 1.0) is None


def test_one_foreign_sentence_shows_in_a_text_that_is_right_otherwise() -> None:
    def identify(text: str, language: object) -> tuple[float, float]:
        return (0.05, 0.9) if "tren" in text else (0.9, 0.05)

    good = "Das ist ein ganz gewöhnlicher Satz. Und noch einer, der etwas länger ist."
    assert foreign_share(units(good, DE), DE, identify) == 0
    long, short = (
        foreign_share([good, "El tren sale a las ocho de la mañana de la estación."], DE, identify),
        foreign_share([good, "El tren sale."], DE, identify),
    )
    assert long > 0.8 > short > 0.1
    assert foreign_share(["El tren"], DE, identify) == 0, "too short to tell"
