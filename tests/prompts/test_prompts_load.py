import pytest

from prompts import load


def test_a_prompt_comes_without_its_header_and_with_the_hash_of_its_file() -> None:
    prompt = load("offline/talk")
    assert prompt.text.startswith("## greet")
    assert len(prompt.hash) == 16
    assert prompt.hash != load("offline/ask").hash


@pytest.mark.parametrize("name", ["offline/none", "../pyproject", "/etc/passwd", ""])
def test_a_name_without_a_file_is_refused(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        load(name)
