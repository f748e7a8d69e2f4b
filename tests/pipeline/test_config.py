from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import Output, as_yaml, load_config
from pipeline.errors import ConfigError
from tests.pipeline.runs import write_config


def load(folder: Path, fields: dict[str, Any], *overrides: str) -> dict[str, Any]:
    return vars(load_config(str(write_config(folder, [], fields=fields)), overrides).fields)


def test_messages_take_the_place_of_prompt_and_response(tmp_path: Path) -> None:
    for fields in ({"messages": "turns"}, {"messages": "turns", "prompt": None, "response": None}):
        found = load(tmp_path, fields)
        assert (found["messages"], found["prompt"], found["response"]) == ("turns", None, None)
    assert load(tmp_path, {"id": "key"}, "fields.messages=turns")["prompt"] is None
    assert load(tmp_path, {"messages": None})["prompt"] == "prompt"


@pytest.mark.parametrize("name", ["prompt", "response"])
def test_messages_beside_a_prompt_or_a_response_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"fields\.messages: .* leave out fields\.prompt and fields\.response"):
        load(tmp_path, {"messages": "turns", name: "text"})


def test_a_resolved_config_of_conversations_loads_as_it_was(tmp_path: Path) -> None:
    config = load_config(str(write_config(tmp_path, [], fields={"messages": "turns", "system": "s", "rationale": "r"})))
    (tmp_path / "again.yaml").write_text(as_yaml(config))
    assert load_config(str(tmp_path / "again.yaml")) == config


def test_the_output_is_a_folder_or_a_mapping(tmp_path: Path) -> None:
    path = str(write_config(tmp_path, []))
    assert load_config(path).output == Output(str(tmp_path / "out"))
    assert load_config(path, ["output.segments=true"]).output == Output(str(tmp_path / "out"), True)
    assert load_config(path, ["output=x"]).output == Output("x")
    assert load_config(path, output="a: b").output == Output("a: b")
    again = write_config(tmp_path / "again", [], output={"folder": "y", "segments": True})
    assert load_config(str(again)).output == Output("y", True)
    with pytest.raises(ConfigError, match=r"did you mean output\.segments"):
        load_config(path, ["output.segment=true"])


@pytest.mark.parametrize(
    ("memory", "said"),
    [("ftp://host/x", "ftp:// is not known"), ("s3://key:secret@bucket/x", "by environment"), ("OUT/in", "outlive")],
)
def test_a_memory_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, memory: str, said: str) -> None:
    path = write_config(tmp_path, [], memory=memory.replace("OUT", str(tmp_path / "out")))
    with pytest.raises(ConfigError, match=said) as error:
        load_config(str(path))
    assert "secret" not in str(error.value)
    assert load_config(str(write_config(tmp_path, [], memory="s3://bucket/x"))).memory == "s3://bucket/x"
