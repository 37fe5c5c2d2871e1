import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import catalog
from lecture_core.scaling_report import SHOWN_NAMES
from lecture_core.ui import serving_speed
from tests.unit.test_serving_speed import WritingEngine

PAGE = str(Path(__file__).parents[2] / "pages/scaling/open_weight_models.py")
STEM = "open_weight_models"


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def cards(at):
    return {metric.label: metric.value for metric in at.metric}


def test_serving_makes_the_cheapest_model_smaller():
    at = opened()
    assert not at.exception
    assert not at.error
    served = cards(at)
    at.select_slider(key=f"{STEM}_served").set_value("none").run()
    alone = cards(at)
    assert alone["Cheapest in all"] == "13B"
    assert alone["Saved"] == "0%"
    assert float(served["Cheapest in all"].removesuffix("B")) < 13
    assert served["Saved"] != "0%"


def test_nothing_saved_has_no_sign():
    assert cards(opened(quality="300M", served="none"))["Saved"] == "0%"


def test_a_link_restores_quality_tokens_and_constants():
    at = opened(quality="70B", served="10T", constants="More digits")
    assert at.select_slider(key=f"{STEM}_quality").value == "70B"
    assert at.select_slider(key=f"{STEM}_served").value == "10T"
    assert at.selectbox(key=f"{STEM}_constants").value == "More digits"


@pytest.mark.parametrize(("earlier", "shown"), SHOWN_NAMES.items())
def test_links_with_the_ids_of_the_constants_still_open(earlier, shown):
    at = opened(constants=earlier)
    assert not at.exception
    assert at.selectbox(key=f"{STEM}_constants").value == shown
    at.selectbox(key=f"{STEM}_constants").set_value("Refit 2024").run()
    assert at.selectbox(key=f"{STEM}_constants").value == "Refit 2024"


def test_money_asks_for_prices_and_low_utilisation_shrinks_the_model():
    at = opened(cost="Money")
    assert not at.exception
    usual = cards(at)["Cheapest in all"]
    at.slider(key=f"{STEM}_serving").set_value(0.01).run()
    assert float(cards(at)["Cheapest in all"].removesuffix("B")) < float(usual.removesuffix("B"))


@pytest.mark.parametrize("served", ["none", "2T"])
def test_the_code_drawer_prints_the_page_s_model(served):
    at = opened(served=served)
    code = next(c.value for c in at.code if "minimize_scalar" in c.value)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    parameters = float(printed.split(": ")[1].split(" parameters")[0])
    assert parameters == pytest.approx(float(cards(at)["Cheapest in all"].removesuffix("B")) * 1e9, rel=0.01)


def test_memory_is_parameters_times_bits():
    frame = next(d.value for d in opened().dataframe if "16 bits" in d.value.columns)
    assert list(frame.columns)[:2] == ["Model", "Fits here"]  # in sight on a phone
    frame = frame.set_index("Model")
    assert frame.loc["Llama 3 70B", "16 bits"] == "140.0 GB"
    assert frame.loc["Llama 3 70B", "4 bits"] == "35.0 GB"
    assert {"Llama 2 7B", "Llama 2 13B", "Llama 2 70B"} <= set(frame.index)


def test_a_model_has_one_name_on_the_page_and_its_ratios_stand_in_the_table():
    at = opened()
    memory, table = (next(d.value for d in at.dataframe if c in d.value.columns) for c in ("16 bits", "Active"))
    assert set(memory["Model"]) <= set(table["Model"])
    ratios = table.set_index("Model")
    mixture = ratios.loc["DeepSeek-V3"]
    assert [round(mixture[c]) for c in ratios.columns if c.startswith("Tokens /")] == [22, 400]


BAD = ["7", "nan", "-1", "", "<script>alert(1)</script>"]


@pytest.mark.parametrize("value", BAD)
def test_a_bad_link_is_a_sentence_for_each_value(value):
    names = ["quality", "served", "constants", "cost", "load", "mfu", "serving"]
    at = opened(**dict.fromkeys(names, value))
    assert not at.exception
    (said,) = (box.value for box in at.warning)
    assert all(f"- {name}: expected" in said for name in names)
    assert "- mfu: expected a number from 0.01 to 1; got" in said
    assert "<script>" not in said
    assert not opened(quality="70B", served="none", cost="Money", mfu="0.5", hour="3", here="0.2").warning


def measured(at):
    at.button(key=f"{STEM}_speed_start").click().run()
    for _ in range(100):
        if not at.session_state[f"{STEM}_speed"].running:
            return at.run()
        time.sleep(0.05)
    raise AssertionError("the measurement did not end")


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.info, *at.error, *at.code))


@pytest.fixture
def one_model(monkeypatch):
    spec = catalog.get("gpt2")
    monkeypatch.setattr(
        serving_speed, "availability", lambda row: type("A", (), {"usable": row == spec, "command": ""})
    )
    engine = WritingEngine()
    monkeypatch.setattr(serving_speed, "get_engine", lambda: engine)
    return engine


@pytest.mark.usefixtures("one_model")
class TestMeasuredHere:
    def test_nothing_is_measured_or_drawn_before_the_click(self, one_model):
        at = opened(cost="Money")
        assert one_model.asked == []
        assert "Cheapest, served here" not in cards(at)
        assert "One model stands behind" not in words(at)

    def test_a_measurement_runs_the_model_and_adds_the_practical_line(self, one_model):
        at = measured(opened())
        assert not at.exception
        assert not at.error
        assert {model for model, _ in one_model.asked} == {"gpt2"}
        assert at.segmented_control(key=f"{STEM}_cost").value == "Money"
        assert "Cheapest, served here" in cards(at)
        assert "One model stands behind the green lines" in words(at)
        assert "in proportion to N" in words(at)

    def test_a_dearer_machine_makes_the_model_served_here_smaller(self):
        at = measured(opened(here="0.001"))
        cheap = at.metric[-1].value
        at.number_input(key=f"{STEM}_here").set_value(1000.0).run()
        assert at.metric[-1].label == "Cheapest, served here"
        assert float(at.metric[-1].value.rstrip("BM")) < float(cheap.rstrip("BM"))

    @pytest.mark.parametrize("served", ["none", "1B", "1e16"])
    def test_no_price_and_no_amount_breaks_the_chart(self, served):
        at = measured(opened(served=served, here="1000", quality="1T"))
        assert not at.exception
        assert "Cheapest, served here" in cards(at)

    def test_in_flops_the_page_says_where_the_line_is(self):
        at = measured(opened())
        at.segmented_control(key=f"{STEM}_cost").set_value("FLOPs").run()
        assert "Cheapest, served here" not in cards(at)
        assert "Choose *Money* above" in words(at)


def test_without_a_model_the_command_is_named(monkeypatch):
    missing = type("A", (), {"usable": False, "command": "python -m lecture_core.catalog pull gpt2"})
    monkeypatch.setattr(serving_speed, "availability", lambda row: missing)
    at = opened()
    assert not at.exception
    assert "python -m lecture_core.catalog pull gpt2" in words(at)
    assert all(button.key != f"{STEM}_speed_start" for button in at.button)


def test_no_guess_says_by_its_form_that_it_is_the_answer():
    at = opened()
    guess = at.pills(key=f"{STEM}_guess")
    assert all(option.replace(",", "").isdigit() and option.strip("0,") == "2" for option in guess.options)
    guess.select(guess.options[-1]).run()
    assert "15T tokens for 8B parameters are 1,875" in at.success[0].value
