"""`transcreate evaluate adapt`: what the rules leave, change and keep in texts that people marked, locale by locale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.evaluate_command import SOURCE, Case, load_cases, row_of
from schemas.locales import LOCALES
from schemas.rows import EXCHANGES, Row, Text
from transforms.adapt import adapt, changes_outside, localize, residual
from transforms.choose import NEVER
from transforms.culture_pack import load_pack
from transforms.segregate import Lexicon, find_spans, load_lexicon, segregate


@dataclass(frozen=True)
class Leftovers:
    """What adaptation did to the cases in one locale.

    Attributes:
        adapted: texts in which something was exchanged, of `texts`.
        swaps: exchanges in them.
        residual: adapted texts in which the lexicon still finds a span of the source culture that Adapt did not decide on.
        outside: characters that changed outside the listed edits, over all texts.
        unnoticed: spans of the source culture that readers marked in the adapted texts and that no edit touches or keeps, of
            `marked`: what segregation missed.
        review: texts left alone because the locale's law differs or is not known.
        whole: texts with exchangeable spans that stayed whole, tied to something of the source's country.
    """

    texts: int
    adapted: int
    swaps: int
    residual: int
    outside: int
    unnoticed: int
    marked: int
    review: int
    whole: int


def measure(cases: Sequence[Case], locale: str, lexicon: Lexicon) -> Leftovers:
    """Adapts every case to a locale, as a row that is not known to be safe."""
    adapted = swaps = left = outside = unnoticed = marked = review = whole = 0
    for case in cases:
        text = _adapted(segregate(row_of(case), lexicon), locale)
        made = [e for e in text.edits if e.action in EXCHANGES]
        outside += changes_outside(text)
        review += "label_review" in text.flags
        whole += not made and "label_review" not in text.flags and "kept_source_culture" in text.flags
        if not made:
            continue
        adapted += 1
        swaps += len(made)
        left += residual(text, find_spans(text.adapted or "", 0, lexicon), SOURCE) > 0
        seen = {e.before.casefold() for e in text.edits}
        for mark in case.gold.marks:
            if SOURCE in mark.cultures and mark.kind not in NEVER:
                marked += 1
                surface = case.text[mark.start : mark.end].casefold()
                unnoticed += not any(surface in known or known in surface for known in seen)
    return Leftovers(len(cases), adapted, swaps, left, outside, unnoticed, marked, review, whole)


def _adapted(row: Row, locale: str) -> Text:
    return adapt(localize(row, locale, 1), SOURCE, load_pack(locale)).texts[0]


def evaluate_adapt_command(files: Sequence[str], split: str) -> int:
    """Prints the figures of every locale; returns the exit code.

    Args:
        files: JSON Lines of cases; empty for those that ship as data/evaluation/.
        split: dev or test, of those that ship.
    """
    cases, lexicon = load_cases(files, split), load_lexicon(SOURCE)
    print(
        f"{'locale':<8}{'texts':>6}{'adapted':>9}{'swaps':>7}{'residual':>14}{'outside':>9}{'unnoticed spans':>19}"
        f"{'law':>6}{'whole':>7}"
    )
    for locale in sorted(set(LOCALES) - {SOURCE}):
        found = measure(cases, locale, lexicon)
        share = found.residual / found.adapted if found.adapted else 0.0
        missed = found.unnoticed / found.marked if found.marked else 0.0
        print(
            f"{locale:<8}{found.texts:>6}{found.adapted:>9}{found.swaps:>7}{f'{found.residual} = {share:.1%}':>14}"
            f"{found.outside:>9}{f'{found.unnoticed} of {found.marked} = {missed:.0%}':>19}{found.review:>6}{found.whole:>7}"
        )
    return 0
