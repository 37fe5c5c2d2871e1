"""The Chinchilla lab as a visitor uses it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).parents[2] / "pages" / "scaling" / "chinchilla.py"

BAD = ["nan", "inf", "0", "-1", "1e400", "seventy", "", "<script>alert(1)</script>", "9" * 5000]


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in query.items():
        page.query_params[f"chinchilla_{name}"] = value
    page.run()
    assert not page.exception
    return page


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_default_state_is_chinchilla_under_the_refit():
    page = opened()
    shown = metrics(page)
    assert shown["Compute 6ND, FLOPs"] == "5.76e23"
    assert shown["Tokens per parameter"] == "19.6"
    assert shown["… at the best split"] == "18.3"
    assert not page.warning
    assert not page.error
    frame = next(frame.value for frame in page.dataframe if "Constants" in frame.value.columns)
    assert frame["Per param."].tolist() == [18, 93, 59]


def test_moving_the_size_moves_the_tokens_and_the_loss():
    page = opened()
    before = metrics(page)
    page.select_slider(key="chinchilla_parameters").set_value(8e9).run()
    after = metrics(page)
    assert after["Tokens per parameter"] == "1,500"
    assert float(after["Loss, nats per token"]) > float(before["Loss, nats per token"])
    assert after["Compute 6ND, FLOPs"] == before["Compute 6ND, FLOPs"]


def test_published_constants_change_the_best_split():
    page = opened()
    page.segmented_control(key="chinchilla_constants").set_value("As printed").run()
    assert metrics(page)["… at the best split"] == "92.6"


def test_own_constants_start_from_the_published_ones():
    page = opened(constants="More digits")
    before = metrics(page)["… at the best split"]
    page.button(key="chinchilla_change").click().run()
    assert page.segmented_control(key="chinchilla_constants").value == "Your own"
    assert float(metrics(page)["… at the best split"]) == pytest.approx(float(before), rel=0.05)
    page.slider(key="chinchilla_alpha").set_value(0.05).run()
    assert not page.exception


def test_the_second_chart_opens():
    page = opened()
    page.segmented_control(key="chinchilla_view").set_value("Size and data").run()
    assert not page.exception
    assert any("line of best splits" in markdown.value for markdown in page.markdown)


def test_the_landscape_opens():
    page = opened(view="Size and data", surface="true")
    assert not page.warning
    assert "The loss as a landscape" in " ".join(markdown.value for markdown in page.markdown)


def said_of_the_drag(page: AppTest) -> str:
    return next(m.value for m in page.markdown if "Its compute-optimal place" in m.value)


def test_a_model_and_where_it_was_put_down_come_from_the_link():
    page = opened()
    assert said_of_the_drag(page).startswith("GPT-3 175B")
    assert "53.1B parameters, 989B tokens" in said_of_the_drag(page)
    page = opened(moved="Gopher 280B", placed="7e10")
    assert not page.warning
    assert page.query_params["chinchilla_placed"] in ("7e10", ["7e10"])
    assert page.session_state["chinchilla_place"] == ("Gopher 280B", "7e10")
    page.segmented_control(key="chinchilla_constants").set_value("As printed").run()
    assert page.session_state["chinchilla_place"] == ("Gopher 280B", "7e10")
    assert "under these constants" in said_of_the_drag(page)


def test_a_link_with_an_earlier_spelling_of_a_model_still_opens():
    page = opened(moved="Llama-3 8B")
    assert not page.warning
    assert page.selectbox(key="chinchilla_moved").value == "Llama 3 8B"


def test_another_model_starts_at_its_published_place():
    page = opened(moved="Gopher 280B", placed="7e10")
    page.selectbox(key="chinchilla_moved").set_value("Llama 3 8B").run()
    assert page.session_state["chinchilla_place"] == ("Llama 3 8B", None)
    assert "chinchilla_placed" not in page.query_params


@pytest.mark.parametrize("value", BAD)
def test_a_place_that_is_none_is_a_sentence_and_the_published_place(value):
    page = opened(placed=value)
    (warning,) = page.warning
    assert "from 1.458e9 to 6.25e11" in warning.value
    assert "<script>" not in warning.value
    assert len(warning.value) < 200


@pytest.mark.parametrize(
    ("look", "said"),
    [
        ("Three approaches", "At each compute, one size is lowest"),
        ("2020 and 2022", "804B parameters and 119B tokens"),
        ("Plan a training", "Beyond the runs, the interval widens"),
        ("Rounding", "How many digits must a paper keep?"),
        ("Table A3", "1.26e24 FLOPs, but six times its parameters times its tokens is 1.26e25"),
    ],
)
def test_each_closer_look_opens_by_click_and_by_link(look, said):
    page = opened()
    page.segmented_control(key="chinchilla_look").set_value(look).run()
    for shown in (page, opened(look=look)):
        assert not shown.exception
        assert not shown.error
        assert said in " ".join(markdown.value for markdown in shown.markdown)


@pytest.mark.parametrize("approach", ["1 Lowest curves", "2 Parabolas", "3 One formula"])
def test_each_approach_stands_beside_the_published_exponents(approach):
    page = opened(approach=approach)
    frame = next(frame.value for frame in page.dataframe if "a, ours" in frame.value.columns)
    assert frame["a, paper"].tolist() == ["0.50", "0.49", "0.46", "0.73"]
    assert [float(a) for a in frame["a, ours"][:3]] == pytest.approx([0.5] * 3, abs=0.02)
    assert any("245 runs read off Hoffmann et al. 2022" in caption.value for caption in page.caption)


@pytest.mark.parametrize(
    ("compare", "said"),
    [
        ("Loss over size", "under the law of 2020"),
        ("Loss over tokens", "Dashed: 175B parameters, GPT-3's"),
    ],
)
def test_the_two_laws_are_compared_in_loss_too(compare, said):
    page = opened(look="2020 and 2022", compare=compare)
    assert not page.warning
    assert said in " ".join(markdown.value for markdown in page.markdown)
    assert any("other tokens" in caption.value for caption in page.caption)


def test_published_and_computed_columns_of_table_a3_are_told_apart():
    page = opened(look="Table A3")
    frame = next(frame.value for frame in page.dataframe if "Tokens, published" in frame.value.columns)
    assert {"FLOPs, published", "FLOPs, computed", "Tokens, computed", "Computed / published"} < set(frame.columns)
    ratios = frame["Computed / published"].astype(float)
    words = " ".join(markdown.value for markdown in page.markdown)
    assert f"{ratios.min() - 1:.0%} to {ratios.max() - 1:.0%} more than the published ones" in words
    captions = [caption.value for caption in page.caption]
    assert any("columns “published”" in text for text in captions)
    assert any("columns “computed”" in text for text in captions)


def test_a_plan_follows_the_machines():
    page = opened(look="Plan a training", gpus="2048", days="60")
    before = metrics(page)
    assert before["Compute, FLOPs"] == "4.2e24"
    page.number_input(key="chinchilla_days").set_value(15.0).run()
    assert metrics(page)["Compute, FLOPs"] == "1.05e24"
    assert metrics(page)["Best size N"] == "99.6B"


def test_digits_change_the_tokens_per_parameter():
    page = opened(look="Rounding")
    assert metrics(page)["Hoffmann: α = 0.34, β = 0.28"] == "92.6"
    page.slider(key="chinchilla_digits").set_value(6).run()
    assert metrics(page)["Hoffmann: α = 0.339171, β = 0.284908"] == "58.9"


def test_a_link_restores_the_state():
    query = {"constants": "Your own", "alpha": "0.3", "set": "Size and data", "parameters": "8B", "tokens": "15T"}
    page = opened(**query, view="Size and data")
    shown = metrics(page)
    assert shown["Compute 6ND, FLOPs"] == "7.2e23"
    assert shown["Tokens per parameter"] == "1,880"
    assert page.slider(key="chinchilla_alpha").value == 0.3
    assert not page.warning
    assert page.code[-1].value.startswith("E, A, B, alpha, beta = 1.817, 482, 2085, 0.3, 0.366")


@pytest.mark.parametrize("value", BAD)
def test_a_bad_link_gives_a_sentence_for_each_value_and_the_default(value):
    names = ["constants", "set", "view", "compute", "parameters", "tokens", "E", "A", "B", "alpha", "beta"]
    names += ["moved", "look", "approach", "compare", "surface", "gpus", "peak", "utilisation", "days", "digits"]
    page = opened(**dict.fromkeys(names, value))
    assert len(page.warning) == 1
    said = page.warning[0].value
    assert all(f"- {name}: expected" in said for name in names)
    assert "<script>" not in said
    assert max(map(len, said.splitlines())) < 200
    assert metrics(page)["… at the best split"] == "18.3"


def test_a_guess_is_compared_with_the_rule_of_thumb():
    page = opened()
    page.pills(key="chinchilla_guess").set_value("60").run()
    said = "You guessed **60**. The lecture's rule of thumb is 20. Published fits disagree: 18, 59 or 93."
    assert [box.value for box in page.info] == [said]


@pytest.mark.parametrize(
    ("earlier", "shown", "best"),
    [("Epoch", "Refit 2024", "18.3"), ("Printed", "As printed", "92.6"), ("Unrounded", "More digits", "58.9")],
)
def test_links_with_the_ids_of_the_constants_still_open(earlier, shown, best):
    page = opened(constants=earlier)
    assert not page.warning
    assert page.segmented_control(key="chinchilla_constants").value == shown
    assert metrics(page)["… at the best split"] == best
    page.segmented_control(key="chinchilla_constants").set_value("Your own").run()
    assert page.segmented_control(key="chinchilla_constants").value == "Your own"
