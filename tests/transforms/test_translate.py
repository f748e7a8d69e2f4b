from dataclasses import replace

from schemas.locales import LANGUAGES
from schemas.rows import Row, Segment
from tests.builders import make_row
from transforms.judge import judge, merge_thresholds
from transforms.translate import requests_of, translate

EN = LANGUAGES["eng_Latn"]


def localized(prompt: str, response: str | None, language: str = "jpn_Jpan") -> Row:
    row = replace(make_row(prompt, response), language=language, locale="ja-JP")
    return replace(row, texts=tuple(replace(t, adapted=t.source) for t in row.texts))


def answers(row: Row, **flags: tuple[str, ...]) -> dict[str, Segment]:
    """An answer for every request: the text in brackets."""
    return {
        r.key: Segment(
            r.content[0],
            "" if "translation_failed" in flags.get("f", ()) else f"「{r.content[0]}」",
            -0.1,
            -0.2,
            0,
            flags.get("f", ()),
        )
        for r in requests_of(row, EN)
    }


def test_the_same_sentence_is_asked_once_however_often_it_stands_there() -> None:
    row = localized("Please help me. Please help me. That is enough.", "Please help me.")
    assert [r.content[0] for r in requests_of(row, EN)] == ["Please help me.", "That is enough."]
    assert requests_of(row, EN)[0] == requests_of(localized("Please help me.", None), EN)[0]


def test_answers_go_back_to_their_places() -> None:
    row = localized("Please help me. That is enough.\n- Bread\n", "Yes.")
    done = translate(row, EN, answers(row))
    assert done.texts[0].target == "「Please help me.」「That is enough.」\n- 「Bread」\n"
    assert done.texts[1].target == "「Yes.」"
    assert done.origin == "machine_translated"


def test_languages_with_spaces_keep_them_between_sentences() -> None:
    row = localized("Please help me. That is enough.", None, "deu_Latn")
    assert translate(row, EN, answers(row)).texts[0].target == "「Please help me.」 「That is enough.」"


def test_null_and_stand_ins_are_carried_through_untouched() -> None:
    for untouched in (None, "", "  ", "None", "REDACTED"):
        row = localized("Please help me.", untouched)
        assert len(requests_of(row, EN)) == 1
        response = translate(row, EN, answers(row)).texts[1]
        assert response.target == untouched and response.segments == ()


def test_a_failed_sentence_fails_its_text_and_never_becomes_text() -> None:
    row = localized("Please help me. That is enough.", None)
    made = answers(row)
    key = requests_of(row, EN)[1].key
    made[key] = replace(made[key], target="", flags=("translation_failed",))
    text = translate(row, EN, made).texts[0]
    assert text.target is None and text.flags == ("translation_failed",)


def test_a_row_in_the_sources_own_language_is_localized_and_asks_nothing() -> None:
    row = localized("I sell biryani. It is good.", None, "eng_Latn")
    assert requests_of(row, EN) == []
    done = translate(row, EN, {})
    assert done.origin == "localized"
    assert [(t.target, t.segments) for t in done.texts] == [("I sell biryani. It is good.", ()), (None, ())]


def test_a_request_without_an_answer_fails_its_text() -> None:
    row = localized("Please help me.", None)
    text = translate(row, EN, {}).texts[0]
    assert text.target is None and text.flags == ("translation_failed",)


def test_a_text_that_holds_code_says_so() -> None:
    row = localized("Look at this.\n```\nprint(1)\n```", None)
    text = translate(row, EN, answers(row)).texts[0]
    assert text.flags == ("block_kept",) and text.target == "「Look at this.」\n```\nprint(1)\n```"


def test_words_that_are_all_code_or_data_are_flagged_and_rejected_in_a_prompt() -> None:
    for prompt in ('{"task": "How can I bake bread?"}', "`How can I bake bread?`", "```\nprint(1)\n```"):
        row = localized(prompt, prompt)
        done = judge(translate(row, EN, {}), merge_thresholds(("jpn_Jpan",)))
        assert all("nothing_translated" in t.flags and t.target == prompt for t in done.texts)
        assert done.verdict is not None and done.verdict.reasons == ("nothing_translated",)
    row = localized("How can I bake bread?", "```\nprint(1)\n```")
    done = judge(translate(row, EN, answers(row)), merge_thresholds(("jpn_Jpan",)))
    assert done.verdict is not None and done.verdict.accepted and "nothing_translated" in done.texts[1].flags
