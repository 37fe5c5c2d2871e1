import pytest

from lecture_core.errors import InvalidInputError
from lecture_core.text_input import completed, count_masks, fill, hide, without_masks


@pytest.mark.parametrize("span", [(4, 7), (3, 7), (4, 8), (3, 8)])
def test_hiding_a_word_keeps_the_spaces_around_it(span):
    assert hide("The cat sat.", span) == "The [MASK] sat."


def test_a_sub_word_joins_the_word_before_it():
    assert fill("The cat [MASK] sat on ____.", 0, "s", joins=True) == "The cats sat on ____."
    assert fill("The cat [MASK] sat on ____.", 1, "mats") == "The cat [MASK] sat on mats."


def test_any_way_to_write_a_mask_counts():
    assert count_masks("[mask] <MASK> ___ ______ __") == 4


def test_hiding_and_filling_are_inverse():
    assert fill(hide("The cats sat.", (7, 8)), 0, "s") == "The cats sat."


def test_known_words_are_put_back_and_unknown_masks_go():
    assert completed("Natural language [MASK] (NLP) is an ___ subfield", ("processing", None)) == (
        "Natural language processing (NLP) is an subfield"
    )
    assert completed("[MASK]", (None,)) == ""


@pytest.mark.parametrize("text", ["[MASK] [MASK]", "a <mask>", "a ____", ""])
def test_a_complete_text_has_no_mask(text):
    with pytest.raises(InvalidInputError, match=r"without masks|some text"):
        without_masks(text)
