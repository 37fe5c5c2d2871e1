"""Texts merged where they begin alike: each token once, and each sees what it would see alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.token_tree import TokenTree

TEXTS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=6)


@given(TEXTS)
def test_each_token_sees_its_own_text_and_stands_where_it_stood(texts):
    tree = TokenTree()
    paths = [tree.add(text) for text in texts]
    visible, depths = tree.visible(), tree.depths()
    for text, path in zip(texts, paths, strict=True):
        assert [tree.tokens[i] for i in path] == text
        assert [depths[i] for i in path] == list(range(len(text)))
        for place, index in enumerate(path):
            assert np.flatnonzero(visible[index]).tolist() == sorted(path[: place + 1])


@given(TEXTS)
def test_each_common_beginning_is_there_once(texts):
    assert len(TokenTree(texts)) == len({tuple(text[: i + 1]) for text in texts for i in range(len(text))})


def test_one_text_and_its_beginning_are_a_chain():
    assert TokenTree([[5, 6, 7], [5, 6]]).is_chain
    assert not TokenTree([[5, 6, 7], [5, 7]]).is_chain
    assert not TokenTree([[5], [6]]).is_chain
