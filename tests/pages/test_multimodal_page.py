from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lecture_core import catalog
from lecture_core.ui import unicorn
from tests.unit.scripted_engine import ScriptedEngine

PAGE = str(Path(__file__).parents[2] / "pages/scaling/multimodal.py")
STEM = "multimodal"
SCENE = "big-red-star-1-1.small-green-square-2-3"


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.code, *at.info))


@pytest.fixture
def no_model(monkeypatch):
    rows = {i: row for i, row in catalog._rows().items() if row.origin == "hub"}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)


@pytest.mark.usefixtures("no_model")
def test_without_weights_the_page_names_the_command_and_answers_nothing():
    at = opened()
    assert not at.exception
    assert not at.error
    shown = words(at)
    assert "python -m lecture_core.training shapes_vlm" in shown
    assert "python -m lecture_core.catalog pull smolvlm-256m-instruct" in shown
    assert "no further details about the architecture" in shown
    assert "The model answers" not in shown


@pytest.mark.usefixtures("tiny_vlm")
class TestWithAModel:
    def test_the_default_view_answers_and_says_what_it_rests_on(self):
        at = opened()
        assert not at.exception
        assert not at.error
        assert "The model answers" in words(at)
        assert "matters most" in words(at)
        assert "The scene says: **the star**" in words(at)

    def test_a_link_restores_scene_question_and_cover(self):
        at = opened(scene=SCENE, question="how many shapes are there?", covered="A1")
        assert at.text_input(key=f"{STEM}_scene").value == SCENE
        assert at.text_area(key=f"{STEM}_question").value == "how many shapes are there?"
        assert at.multiselect(key=f"{STEM}_covered").value == ["A1"]
        assert "With nothing covered, the scene says: **two**" in words(at)

    @pytest.mark.parametrize(
        ("button", "after"),
        [
            ("right", "big-red-star-2-1.small-green-square-2-3"),
            ("left", SCENE),
            ("remove", "small-green-square-2-3"),
            ("add", f"{SCENE}.big-red-star-2-1"),
        ],
    )
    def test_buttons_rearrange_the_scene(self, button, after):
        at = opened(scene=SCENE)
        at.button(key=f"{STEM}_scene_{button}").click().run()
        assert not at.exception
        assert at.text_input(key=f"{STEM}_scene").value == after

    def test_a_property_of_the_chosen_shape_changes(self):
        at = opened(scene=SCENE)
        at.selectbox(key=f"{STEM}_scene_shape").set_value(1).run()
        at.selectbox(key=f"{STEM}_scene_colour").set_value("blue").run()
        assert at.text_input(key=f"{STEM}_scene").value == "big-red-star-1-1.small-blue-square-2-3"

    @pytest.mark.parametrize("scene", ["nonsense", "big-red-star-9-1", "big-red-star-1-1.small-red-star-1-1"])
    def test_what_is_no_scene_is_a_sentence_and_the_page_goes_on(self, scene):
        at = opened(scene=scene)
        assert not at.exception
        assert at.error
        at.pills(key=f"{STEM}_scene_preset").set_value("Left and right").run()
        assert not at.error

    def test_an_empty_scene_can_be_asked_about(self):
        at = opened(scene="big-red-star-1-1")
        at.button(key=f"{STEM}_scene_remove").click().run()
        assert not at.exception
        at.button(key=f"{STEM}_scene_add").click().run()
        assert at.text_input(key=f"{STEM}_scene").value == "big-red-star-1-1"

    @pytest.mark.parametrize("question", ["", "\x07", "star " * 40])
    def test_what_cannot_be_read_is_a_sentence(self, question):
        at = opened(question="ok?")
        at.text_area(key=f"{STEM}_question").set_value(question).run()
        assert not at.exception
        assert at.error

    def test_fine_cells_are_asked_for(self):
        at = opened(grid="64 cells", covered_fine="H8", covered="Z9")
        assert not at.exception
        assert at.multiselect(key=f"{STEM}_covered_fine").value == ["H8"]
        at.segmented_control(key=f"{STEM}_grid").set_value("16 cells").run()
        assert not at.exception
        assert at.multiselect(key=f"{STEM}_covered").value == []

    def test_a_photo_gets_an_answer_and_a_broken_file_a_sentence(self):
        at = opened()
        photo = BytesIO()
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(photo, "PNG")
        at.file_uploader(key=f"{STEM}_photo").set_value(("photo.png", photo.getvalue(), "image/png")).run()
        assert not at.exception
        assert words(at).count("The model answers") == 2
        at.file_uploader(key=f"{STEM}_photo").set_value(("photo.png", b"not a picture", "image/png")).run()
        assert not at.exception
        assert at.error


DRAWN = '<svg viewBox="0 0 10 10"><rect width="5" height="5" fill="red"/><script>alert(1)</script></svg>'


@pytest.mark.usefixtures("no_model")
class TestUnicorn:
    def test_a_pasted_drawing_is_drawn_and_what_is_left_out_is_said(self):
        at = opened()
        at.text_area(key=f"{STEM}_svg").set_value(DRAWN).run()
        assert not at.exception
        assert "Shapes drawn: 1; left out: script ×1." in words(at)

    def test_what_holds_no_drawing_is_said(self):
        at = opened()
        at.text_area(key=f"{STEM}_svg").set_value("I cannot draw.").run()
        assert "Nothing in this text can be drawn" in words(at)

    def test_the_model_is_asked_only_on_demand(self, monkeypatch):
        scripted = ScriptedEngine(reply=lambda prompt: DRAWN)
        monkeypatch.setattr(unicorn, "get_engine", lambda: scripted)
        at = opened(thing="horse")
        assert scripted.prompts == []
        at.button(key=f"{STEM}_draw").click().run()
        assert not at.exception
        ((message,),) = scripted.prompts
        assert "a horse" in message.content
        assert "Shapes drawn: 1" in words(at)
        at.run()
        assert len(scripted.prompts) == 1
