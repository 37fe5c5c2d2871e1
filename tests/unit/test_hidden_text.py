import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.errors import InvalidInputError
from lecture_core.hidden_text import MAX_WORDS, read, readable
from lecture_core.objectives import t5_strings

PAPER = "Thank you [for inviting] me to your party [last] week."


def test_the_papers_example_gives_the_papers_strings():
    (source, target), _ = t5_strings(read(PAPER))
    assert source == "Thank you <extra_id_0> me to your party <extra_id_1> week."
    assert target == "<extra_id_0> for inviting <extra_id_1> last <extra_id_2>"


WORDS = st.sampled_from(["a", "don't", "cat", ",", "well-known", "été", "."])


@given(st.lists(WORDS, min_size=1, max_size=30), st.data())
def test_marking_and_reading_are_inverse(words, data):
    text = read(" ".join(words))
    hidden = data.draw(st.sets(st.integers(0, len(text.words) - 1)))
    for word in hidden:
        text = text.toggled(word)
    assert read(text.marked()).hidden == frozenset(hidden)
    assert read(text.marked()).plain == text.plain


@given(st.lists(st.sampled_from(["a", "cat", "on", "mat"]), min_size=1, max_size=30), st.data())
def test_the_strings_of_t5_rebuild_the_sentence(words, data):
    text = read(" ".join(words))
    for word in data.draw(st.sets(st.integers(0, len(words) - 1))):
        text = text.toggled(word)
    (source, target), _ = t5_strings(text)
    for i, piece in enumerate(target.split("<extra_id_")[1:]):
        source = source.replace(f"<extra_id_{i}>", piece.partition(">")[2].strip())
    assert source == text.plain


def test_owners_point_at_the_words_they_name():
    text = read(PAPER)
    strings, owners = t5_strings(text)
    for string, named in zip(strings, owners, strict=True):
        for (start, end), words in named:
            piece = string[start:end]
            if not piece.startswith("<extra_id_"):
                assert piece == text.plain[slice(*text.words[words[0]])]
    assert [words for _, words in owners[0] if len(words) > 1] == [(2, 3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing"),
        ("  ", "nothing"),
        ("a [b [c]] d", "stray"),
        ("a ]b", "stray"),
        ("a [b", "closing bracket"),
        ("a [MASK] b", "a mask"),
        ("a ___ b", "a mask"),
        ("word " * (MAX_WORDS + 1), "60 words"),
        ("\x07 bell", "control"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    with pytest.raises(InvalidInputError, match=message):
        read(text)


def test_an_emoji_is_a_word():
    assert read("😀").words == ((0, 1),)


def test_an_unreadable_text_gives_the_other_one():
    assert readable("a [b", PAPER) == read(PAPER)


@pytest.mark.parametrize(
    "text", ["שלום [עולם] טוב", "数据 [科学] 很好", "[café] naïve", "<b>[bold]</b>", "[all of it]"]
)
def test_any_script_can_be_hidden(text):
    assert read(text).hidden
