from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LANGUAGES
from transforms.align import Comparing, compare, comparing, units

EN, DE, TH = (LANGUAGES[c] for c in ("eng_Latn", "deu_Latn", "tha_Thai"))
SENTENCE = "about forty characters are in a sentence"


def compared(
    sources: list[int], targets: list[int], aligned: bool = False, comparable: bool = True
) -> list[float | None]:
    """Sentences as numbers: the same number is the same meaning, two meanings are at right angles."""
    meanings = np.eye(max(*sources, *targets) + 1)
    vectors = meanings[sources], meanings[targets]
    return list(compare([SENTENCE] * len(sources), [SENTENCE] * len(targets), vectors, 1.0, aligned, comparable))


def test_a_whole_translation_covers_its_source() -> None:
    assert compared([0, 1, 2], [0, 1, 2]) == pytest.approx([1, 1, 0])
    assert compared([0], [0]) == pytest.approx([1, 1, 0])


@pytest.mark.parametrize("targets", [[0, 1], [1, 2], [0, 2], [0, 1, 2, 3], [0, 3, 1, 2], [0, 1, 3]])
def test_what_was_dropped_added_said_twice_or_exchanged_is_not_covered(targets: list[int]) -> None:
    coverage = compared([0, 1, 2], targets)[2]
    assert coverage is not None and coverage < -0.5


def test_the_worst_sentence_shows_where_the_text_hides_it() -> None:
    whole, worst, _ = compared([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6], aligned=True)
    assert whole is not None and whole > 0.8 and worst == 0


def test_without_a_space_nothing_is_said_of_coverage() -> None:
    assert compared([0, 1], [0, 2], comparable=False)[2] is None


def test_sentences_may_be_joined_and_parted() -> None:
    meanings = np.eye(2)
    joined = np.vstack([meanings[0] + meanings[1]]) / 2**0.5
    _, worst, coverage = compare([SENTENCE] * 2, [SENTENCE * 2], (meanings, joined), 1.0, False, True)
    assert worst == pytest.approx(1) and coverage == 0


def test_a_text_of_many_sentences_beside_one_has_no_alignment_and_is_not_covered() -> None:
    coverage = compared(list(range(12)), [0])[2]
    assert coverage is not None and -100 < coverage < -1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_coverage_is_finite_and_never_above_zero(sources: list[int], targets: list[int]) -> None:
    whole, worst, coverage = compared(sources, targets)
    assert whole is not None and worst is not None and coverage is not None
    assert -1.001 <= worst <= 1.001 and -1.001 <= whole <= 1.001 and -1000 < coverage <= 1e-9


def test_long_texts_take_no_time_to_speak_of() -> None:
    many = [i % 10 for i in range(400)]
    assert compared(many, many)[2] == pytest.approx(0)


def test_thai_is_cut_at_spaces_into_phrases_of_some_length() -> None:
    text = "ฉันไปโรงเรียนตอนเช้าทุกวัน แล้วก็กลับบ้าน ตอนเย็นฉันกินข้าวกับครอบครัวของฉัน"
    found = units(text, TH)
    assert len(found) == 2 and " ".join(found) == text


def test_what_is_asked_survives_the_request() -> None:
    asked = comparing("How are you? Fine.", "Wie geht's? Gut.", (EN, DE), 1.1)
    assert asked is not None and asked.aligned is False and len(asked.sources) == len(asked.targets) == 2
    assert Comparing.of(asked.content()) == asked


def test_known_pairs_are_taken_as_they_are_and_lost_ones_left_out() -> None:
    asked = comparing("A b. C d.", "E f.", (EN, DE), 1.0, [("A b.", "E f."), ("C d.", "")])
    assert asked == Comparing(("A b.",), ("E f.",), "eng_Latn", "deu_Latn", 1.0, True)
    assert comparing("123", "Eins.", (EN, DE), 1.0) is None
