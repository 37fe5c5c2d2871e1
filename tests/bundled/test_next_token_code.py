"""The drawer of the page on next tokens prints the page's distribution."""

import pytest

from lecture_core import catalog
from lecture_core.engine import get_engine
from lecture_core.loading import load
from lecture_core.prompting_code import loading_code
from lecture_core.sampling import STORED, Truncation, truncate
from lecture_core.sampling_code import next_token_code

pytestmark = pytest.mark.bundled
MODEL = "smollm2-135m-instruct"
TEXT = "The students opened their"


@pytest.fixture(scope="module")
def loaded():
    return load(catalog.get(MODEL))


@pytest.mark.parametrize(
    "how", [Truncation(), Truncation(2.0, 5, 1.0), Truncation(0.75, 0, 0.5), Truncation(1.5, 50, 0.9)]
)
def test_the_code_prints_the_numbers_of_the_page(loaded, how, capsys):
    import torch

    start = loading_code(MODEL)  # unpacks the same weights, which takes 20 s; here they come from the converted copy
    code = next_token_code(MODEL, TEXT, how)
    assert code.startswith(start)
    exec(code[len(start) :], {"torch": torch, "tokenizer": loaded.words.tokenizer, "model": loaded.network})
    shown = [float(line.split()[0]) for line in capsys.readouterr().out.splitlines()]
    options = truncate(get_engine().next_token(TEXT, model=MODEL, top_k=STORED), how).options[:12]
    assert shown == pytest.approx([option.after for option in options], abs=1.1e-4)
