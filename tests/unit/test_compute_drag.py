"""What the browser draws while a model is dragged: the numbers in Python and, in Chromium, in the script itself."""

import json
import math
import shutil

import pytest

from lecture_core.compute_drag import drag_data, reach, read_place, window, written
from lecture_core.errors import InvalidInputError
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law, compute_optimal, predict_loss
from lecture_core.scaling_models import load_models
from lecture_core.ui.compute_drag import _FOLDER, SCRIPTS

MODELS = load_models()
LAWS = (EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law(0.01, 5000, 1, 0.05, 1.0), Law(4, 1, 5000, 1.0, 0.05))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_optimum_published_place_and_reach_lie_on_one_budget_inside_the_chart(model, law):
    data = drag_data(model, law, MODELS)
    json.dumps(data, allow_nan=False)
    assert data["flops"] == 6 * model.active_parameters * model.tokens
    assert data["best"] == pytest.approx(compute_optimal(data["flops"], law).parameters)
    low, high = data["reach"]
    assert low < min(data["best"], data["published"])
    assert high > max(data["best"], data["published"])
    assert data["place"] == data["published"] == model.active_parameters
    low_n, high_n, low_d, high_d = data["window"]
    for n in (low, high):
        assert low_n * (1 - 1e-9) <= n <= high_n * (1 + 1e-9)
        assert low_d * (1 - 1e-9) <= data["flops"] / 6 / n <= high_d * (1 + 1e-9)
    constants = Law(**data["law"])
    assert predict_loss(7e10, 1.4e12, constants) == predict_loss(7e10, 1.4e12, law)


def test_every_other_model_is_drawn_and_a_mixture_counts_with_its_active_parameters():
    mixture = next(model for model in MODELS if model.is_mixture)
    data = drag_data(mixture, EPOCH, MODELS)
    assert {other[2] for other in data["others"]} == {m.name for m in MODELS} - {mixture.name}
    assert data["published"] == mixture.active_parameters
    assert "active" in data["model"]


def test_a_place_is_read_as_it_is_written():
    gpt3 = next(model for model in MODELS if model.name == "GPT-3 175B")
    low, high = reach(gpt3, EPOCH, MODELS)
    for n in (low * 1.001, 5.31234e10, high * 0.999):
        assert read_place(written(n), gpt3, EPOCH, MODELS) == pytest.approx(n, rel=5e-4)
        assert drag_data(gpt3, EPOCH, MODELS, n)["place"] == n
    assert (written(5.3e10), written(1.458e9), written(2.5e12)) == ("5.3e10", "1.458e9", "2.5e12")
    assert window(gpt3, EPOCH, MODELS)[0] < low
    assert drag_data(gpt3, EPOCH, MODELS, high * 2)["place"] == gpt3.parameters


@pytest.mark.parametrize("raw", ["", "nan", "inf", "-1", "0", "seventy", "1e400", "1e3", "<script>", "9" * 5000])
def test_a_place_off_the_line_is_refused(raw):
    with pytest.raises(InvalidInputError) as refused:
        read_place(raw, MODELS[0], EPOCH, MODELS)
    assert len(str(refused.value)) < 250


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def dragged(browser):
    """Mount the script with given data; `page.sent` holds what it reports."""
    script = "\n".join((_FOLDER / name).read_text() for name in SCRIPTS)
    page = browser.new_page(viewport={"width": 800, "height": 800})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content("<div id=host style='width:700px'></div>")
    page.evaluate(
        """async (script) => {
            const address = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
            window.module = await import(address);
            window.sent = [];
            window.mount = (data) => window.module.default({
                data, parentElement: document.getElementById("host"), setTriggerValue: (_, n) => window.sent.push(n)
            });
        }""",
        script,
    )

    def mount(data):
        page.evaluate("data => window.mount(data)", data)
        return page

    yield mount
    page.close()
    assert errors == []


@pytest.mark.e2e
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
