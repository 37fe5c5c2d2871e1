from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import catalog
from lecture_core.duel import sentences
from lecture_core.tables import load_table
from lecture_core.ui.duel_run import least_ahead

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/replaced_token_detection.py")
STEM = "replaced_token_detection"
pytestmark = pytest.mark.bundled


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_the_default_view_judges_the_banana_and_hides_the_truth():
    at = opened()
    assert not at.exception
    assert not at.error
    assert "Click each word that you think is fake" in words(at)
    assert not at.metric


def test_reveal_counts_both_sides_and_shows_where_loss_falls():
    at = opened()
    at.button(key=f"{STEM}_reveal").click().run()
    assert not at.exception
    assert [m.label for m in at.metric[:2]] == ["You found", "The discriminator found"]
    assert at.metric[0].value.startswith("0 of ")
    assert "positions carry loss (100 %)" in words(at)


def test_a_new_seed_starts_a_new_round():
    at = opened()
    at.button(key=f"{STEM}_reveal").click().run()
    at.number_input(key=f"{STEM}_seed").set_value(11).run()
    assert not [m for m in at.metric if m.label.endswith("found")]


def test_a_link_restores_the_round_and_the_edit():
    at = opened(text="The dog ran home.", seed="4", share="0.3", after="the dog sang home")
    assert not at.exception
    assert at.text_area(key=f"{STEM}_text").value == "The dog ran home."
    assert at.slider(key=f"{STEM}_share").value == 0.3
    assert "the dog sang home" in " ".join(c.value for c in at.code)


def test_a_link_restores_the_marks_and_the_reveal():
    at = opened(marks="4,7", revealed="true")
    assert not at.exception
    assert not at.warning
    assert at.session_state[f"{STEM}_marks"] == {3, 6}
    assert at.metric[0].label == "You found"
    assert at.query_params[f"{STEM}_marks"] == "4,7"
    at.button(key=f"{STEM}_reveal").click().run()
    assert f"{STEM}_revealed" not in at.query_params
    at.button(key=f"{STEM}_next").click().run()
    assert f"{STEM}_marks" not in at.query_params
    assert at.session_state[f"{STEM}_marks"] == frozenset()


@pytest.mark.parametrize("marks", ["1", "4,99", "x", "-4", "4" * 5000])
def test_marks_that_no_token_has_are_named(marks):
    at = opened(marks=marks, revealed="no")
    assert not at.exception
    assert ["marks: expected numbers of tokens from 2 to" in box.value.replace("\\", "") for box in at.warning] == [
        True
    ]
    assert not at.metric
    assert f"{STEM}_marks" not in at.query_params


def test_the_published_runs_with_more_than_bert_small_begin_at_an_eighth_of_its_compute():
    frame = load_table("electra_small").frame
    assert least_ahead(frame) == ("ELECTRA-Small 12.5% trained", pytest.approx(0.1286, abs=1e-4))
    weaker = frame.assign(glue_dev=frame["glue_dev"].mask(frame["model"] == "BERT-Small", 78.0))
    assert least_ahead(weaker) == ("ELECTRA-Small 50% trained", pytest.approx(0.507, abs=1e-3))


def test_the_share_of_compute_is_written_as_in_the_table_below_it():
    at = opened()
    at.pills(key=f"{STEM}_published_guess").set_value("an eighth").run()
    assert "ELECTRA-Small 12.5% trained" in at.success[0].value
    assert "13%" not in at.success[0].value


def test_no_row_of_a_paper_reads_as_ours():
    for table in ("electra_small", "electra_large"):
        assert not load_table(table).frame["model"].str.contains("ours").any()


@pytest.mark.parametrize("text", ["", "   ", "x\x00y"])
def test_bad_text_gets_a_sentence(text):
    at = opened()
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    at.text_input(key=f"{STEM}_after").set_value(text).run()
    assert not at.exception
    assert len(at.error) == 2


def test_a_run_counts_each_sentence_once_and_scores_both_alike():
    at = opened()
    reveal, following = at.button(key=f"{STEM}_reveal"), at.button(key=f"{STEM}_next")
    reveal.click().run()
    assert "1 of 10 sentences" in " ".join(s.value for s in at.subheader)
    assert at.metric[2].value == "0.0"  # nothing was marked
    assert float(at.metric[3].value) > 0
    at.button(key=f"{STEM}_reveal").click().run()
    at.button(key=f"{STEM}_reveal").click().run()
    assert "1 of 10 sentences" in " ".join(s.value for s in at.subheader)
    following.click().run()
    at.button(key=f"{STEM}_reveal").click().run()
    assert "2 of 10 sentences" in " ".join(s.value for s in at.subheader)
    assert at.text_area(key=f"{STEM}_text").value == sentences()[1]
    at.button(key=f"{STEM}_again").click().run()
    assert not at.exception
    assert at.text_area(key=f"{STEM}_text").value == sentences()[0]


def test_another_seed_makes_no_second_round_of_a_sentence():
    at = opened()
    at.button(key=f"{STEM}_reveal").click().run()
    counted = at.metric[3].value
    at.number_input(key=f"{STEM}_seed").set_value(11).run()
    at.button(key=f"{STEM}_reveal").click().run()
    assert "1 of 10 sentences" in " ".join(s.value for s in at.subheader)
    assert at.metric[3].value == counted


def test_other_models_start_a_new_run():
    at = opened()
    at.button(key=f"{STEM}_reveal").click().run()
    at.button(key=f"{STEM}_next").click().run()
    at.button(key=f"{STEM}_reveal").click().run()
    assert "2 of 10 sentences" in " ".join(s.value for s in at.subheader)
    own = at.session_state[f"{STEM}_run_models"]
    at.session_state[f"{STEM}_run_models"] = ("another", own[1])
    at.run()
    assert "1 of 10 sentences" in " ".join(s.value for s in at.subheader)
    assert at.session_state[f"{STEM}_run_models"] == own


def test_a_long_edit_is_answered_and_not_dropped():
    at = opened()
    at.text_input(key=f"{STEM}_after").set_value("w" * 301).run()
    assert "Expected at most 300 characters; got 301" in words(at)


def test_the_published_table_has_the_compute_that_it_is_about():
    frame = opened().dataframe[0].value
    assert frame.iloc[:, 0].str.len().max() <= 19  # a phone has no room for the names and both numbers otherwise
    headers = " ".join(str(c) for c in frame.columns)
    assert "FLOPs" in headers
    assert "GLUE dev" in headers


def test_the_strength_is_measured_with_the_chosen_discriminator(monkeypatch):
    chosen = replace(catalog.get("minilm-electra-discriminator"), id="another-discriminator")
    rows = catalog._rows() | {chosen.id: chosen}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    at = opened(strength="true", model="another-discriminator")
    assert not at.exception
    shown = [c.value for c in at.caption if c.value.startswith(("another-discriminator", "minilm-electra-generator"))]
    below = shown[-2:]
    assert "seed 7" in below[0]
    assert below[1].startswith("another-discriminator · rev ")
    assert "seeds 7 to 16" in words(at)


def test_a_colder_generator_replaces_less():
    replaced = []
    for temperature in ("0.25", "3.0"):
        at = opened(temperature=temperature, share="0.5")
        at.button(key=f"{STEM}_reveal").click().run()
        replaced.append(int(at.metric[0].value.split()[-1]))
    assert replaced[0] < replaced[1]


def test_generator_strength_is_measured_on_request():
    at = opened(strength="true")
    assert not at.exception
    assert "Share of tokens replaced" in words(at)
    own = words(at)
    at = opened(strength="true", generator="minilm-mlm")
    assert not at.exception
    assert "Share of tokens replaced" in words(at)
    assert words(at) != own


def test_the_code_is_that_of_the_round_and_follows_its_seed():
    at = opened()
    first = at.code[-1].value
    assert "sampled = {" in first
    at.number_input(key=f"{STEM}_seed").set_value(11).run()
    assert at.code[-1].value != first
    assert "seed 11" in at.code[-1].value


def test_the_round_can_be_edited_by_hand():
    at = opened()
    at.button(key=f"{STEM}_reveal").click().run()
    at.button(key=f"{STEM}_edit").click().run()
    assert not at.exception
    assert at.text_input(key=f"{STEM}_before").value.startswith("the chef cooked the meal")
    assert at.text_input(key=f"{STEM}_after").value != at.text_input(key=f"{STEM}_before").value


def test_masks_are_not_corrupted_but_explained():
    at = opened(text="The [MASK] barked.")
    assert [error.value for error in at.error if "without masks" in error.value]
