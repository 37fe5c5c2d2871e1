"""What the browser draws while a model is dragged, in Chromium: the script by itself, without a server."""

import math

import pytest

from lecture_core.compute_drag import drag_data, written
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law, predict_loss
from lecture_core.scaling_models import load_models

pytestmark = pytest.mark.e2e
MODELS = load_models()
LAWS = (EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law(0.01, 5000, 1, 0.05, 1.0), Law(4, 1, 5000, 1.0, 0.05))


@pytest.fixture
def dragged(scripted):
    """Mount the script with given data."""
    return scripted("svg", "compute_drag_scene", "compute_drag")


class TestInChromium:
    @pytest.mark.parametrize("law", LAWS)
    def test_the_script_computes_what_python_computes(self, dragged, law):
        model = MODELS[1]
        data = drag_data(model, law, MODELS)
        page = dragged(data)
        low, high = data["reach"]
        places = [low, data["best"], data["published"], math.sqrt(low * high), high]
        found = page.evaluate("([places, data]) => places.map((n) => window.module.numbersAt(n, data))", [places, data])
        at_home = predict_loss(data["published"], data["flops"] / 6 / data["published"], law)
        for n, numbers in zip(places, found, strict=True):
            tokens = data["flops"] / 6 / n
            assert numbers["tokens"] == pytest.approx(tokens, rel=1e-12)
            assert numbers["ratio"] == pytest.approx(tokens / n, rel=1e-12)
            assert numbers["loss"] == pytest.approx(predict_loss(n, tokens, law), rel=1e-12)
            assert numbers["saved"] == pytest.approx(at_home - numbers["loss"], abs=1e-12)

    @pytest.mark.parametrize("model", MODELS[::4], ids=lambda m: m.name)
    def test_numbers_are_written_as_on_the_rest_of_the_page(self, dragged, model):
        page = dragged(drag_data(model, EPOCH, MODELS))
        shown = page.locator("dd").all_inner_texts()
        n, d = model.active_parameters, model.tokens
        loss = f"{predict_loss(n, d, EPOCH):.4f}"
        assert shown == [count(n), count(d), three_digits(d / n), loss, "0.000"]
        spoken = page.get_by_role("slider").get_attribute("aria-valuetext")
        assert spoken.startswith(f"{count(n)} parameters, {count(d)} tokens")

    def test_a_drag_redraws_within_a_tenth_of_a_second_and_reports_once_at_its_end(self, dragged):
        data = drag_data(MODELS[1], EPOCH, MODELS)
        page = dragged(data)
        box = page.get_by_role("slider").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 40, y - 40, steps=8)
        assert page.evaluate("window.sent") == []
        during = page.locator("dd").first.inner_text()
        assert during != count(data["published"])
        slowest = page.evaluate(
            """() => {
                const grip = document.querySelector("[role=slider]");
                const times = [];
                for (let i = 0; i < 50; i += 1) {
                    const started = performance.now();
                    const place = {clientX: 300 + i, clientY: 200, pointerId: 1, bubbles: true};
                    grip.dispatchEvent(new PointerEvent("pointermove", place));
                    document.body.getBoundingClientRect();
                    times.push(performance.now() - started);
                }
                return times.sort((a, b) => a - b)[47];
            }"""
        )
        assert slowest < 100
        page.mouse.move(x - 40, y - 40)
        page.mouse.up()
        (sent,) = page.evaluate("window.sent")
        assert data["reach"][0] <= sent < data["published"]
        assert float(written(sent)) == sent

    def test_a_finger_drags_the_point_and_not_the_page(self, browser, dragged):
        data = drag_data(MODELS[1], EPOCH, MODELS)
        page = dragged(data)
        page.evaluate("document.body.style.height = '3000px'")
        box = page.get_by_role("slider").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        finger = page.context.new_cdp_session(page)
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for i in range(1, 16):
            points = [{"x": x - 3 * i, "y": y - 4 * i}]
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        (sent,) = page.evaluate("window.sent")
        assert math.log10(data["published"] / sent) > 0.2
        assert page.evaluate("window.scrollY") == 0

    def test_keys_and_buttons_move_the_point_and_report(self, dragged):
        data = drag_data(MODELS[1], EPOCH, MODELS)
        page = dragged(data)
        slider = page.get_by_role("slider")
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(
            math.log10(data["published"]) - 0.1, abs=2e-3
        )
        page.wait_for_function("window.sent.length === 1")
        page.keyboard.press("Home")
        assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemin")
        page.get_by_role("button", name="To the optimum").click()
        page.wait_for_function("window.sent.length >= 2")
        page.wait_for_timeout(600)
        assert page.evaluate("window.sent").pop() == pytest.approx(data["best"], rel=5e-4)
        page.get_by_role("button", name="Back to its published place").click()
        page.wait_for_timeout(1200)
        assert page.evaluate("window.sent").pop() == data["published"]

    def test_a_click_on_another_model_s_point_chooses_it(self, dragged):
        data = drag_data(MODELS[1], EPOCH, MODELS)
        page = dragged(data)
        for name in ("Gopher 280B", "Qwen2.5 0.5B"):
            place = [other[2] for other in data["others"]].index(name)
            page.locator(".other").nth(place).scroll_into_view_if_needed()
            box = page.locator(".other").nth(place).bounding_box()
            page.mouse.click(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2 + 2)
            assert page.evaluate("window.sent").pop() == name
        before = page.evaluate("window.sent.length")
        page.locator(".chart").click(position={"x": 70, "y": 20})
        page.get_by_role("slider").click()
        assert all(isinstance(value, float | int) for value in page.evaluate("window.sent")[before:])

    def test_an_older_place_from_python_does_not_throw_the_point_back(self, dragged):
        data = drag_data(MODELS[1], EPOCH, MODELS)
        page = dragged(data)
        page.get_by_role("button", name="To the optimum").click()
        page.wait_for_function("window.sent.length === 1")
        here = page.locator("dd").first.inner_text()
        dragged(data)  # a rerun that does not know the new place yet
        assert page.locator("dd").first.inner_text() == here == count(data["best"])
        dragged(drag_data(MODELS[1], EPOCH, MODELS, page.evaluate("window.sent[0]")))
        assert page.locator("dd").first.inner_text() == here
        dragged(drag_data(MODELS[2], EPOCH, MODELS))
        assert page.locator("dd").first.inner_text() == count(MODELS[2].parameters)
