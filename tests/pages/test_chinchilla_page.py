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
    assert frame["Tokens / parameter"].tolist() == [18, 93, 59]


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
    page.segmented_control(key="chinchilla_constants").set_value("Printed").run()
    assert metrics(page)["… at the best split"] == "92.6"


def test_own_constants_start_from_the_published_ones():
    page = opened(constants="Unrounded")
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
    assert any("18 (Epoch), 93 (Printed), 59 (Unrounded)" in box.value for box in page.info)
