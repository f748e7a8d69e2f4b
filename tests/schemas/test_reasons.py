from __future__ import annotations

import ast
from pathlib import Path

import pytest

from schemas.reasons import FLAGS, GATE, JUDGE, NOTES, REASONS
from schemas.scores import SCORES

ROOT = Path(__file__).parents[2]


def reasons_in(path: str) -> set[str]:
    """Reasons that a module gives: what it appends to `reasons`, and what it makes a Verdict of."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in ("reasons.append", "Verdict"):
            for part in ast.walk(ast.Module([ast.Expr(a) for a in node.args], [])):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.add(part.value.split(":")[0])
    return found


def test_the_gates_reasons_are_exactly_those_its_code_gives() -> None:
    given = reasons_in("transforms/gate.py") | reasons_in("transforms/group.py") | reasons_in("schemas/taxonomy.py")
    assert given == set(GATE)


def test_every_score_that_can_reject_has_its_reason_in_the_table() -> None:
    assert {s.reason for s in SCORES if s.reason} <= set(JUDGE)
    assert set(FLAGS) <= set(JUDGE)


def test_every_flag_that_a_stage_raises_is_explained_and_either_rejects_or_does_not() -> None:
    raised: set[str] = set()
    for module in ("transforms/adapt", "transforms/translate", "transforms/ask_llm", "transforms/inference/nllb", "pipeline/graph"):
        text = (ROOT / f"{module}.py").read_text("utf-8")
        raised |= {name for name in FLAGS.keys() | NOTES.keys() if f'"{name}"' in text}
    assert raised == FLAGS.keys() | NOTES.keys()
    assert not FLAGS.keys() & NOTES.keys()
    assert all(about[0].isupper() and about.endswith(".") for about in NOTES.values())


def test_gate_and_judge_never_give_the_same_reason() -> None:
    assert not set(GATE) & set(JUDGE)
    assert set(REASONS) == set(GATE) | set(JUDGE)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_is_explained_in_a_sentence(reason: str) -> None:
    assert REASONS[reason][0].isupper()
    assert REASONS[reason].rstrip(")").endswith((".", "concept"))
