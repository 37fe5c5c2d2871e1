import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

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


def test_a_link_restores_quality_tokens_and_constants():
    at = opened(quality="70B", served="10T", constants="Unrounded")
    assert at.select_slider(key=f"{STEM}_quality").value == "70B"
    assert at.select_slider(key=f"{STEM}_served").value == "10T"
    assert at.selectbox(key=f"{STEM}_constants").value == "Unrounded"


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
    frame = opened().dataframe[0].value.set_index("Model")
    assert frame.loc["Llama-3 70B", "16 bits"] == "140.0 GB"
    assert frame.loc["Llama-3 70B", "4 bits"] == "35.0 GB"
