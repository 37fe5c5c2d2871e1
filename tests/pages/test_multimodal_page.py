from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lecture_core import catalog, drawing
from lecture_core.drawing_round import Tally
from lecture_core.drawing_studio import Studio
from lecture_core.errors import BusyError
from lecture_core.ui import blind_vote, unicorn
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
        assert "No cell matters" in words(at)  # random weights see nothing
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
        at.selectbox(key=f"{STEM}_scene_shape_of_{SCENE}").set_value(1).run()
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

    def test_pasted_tikz_is_drawn_and_what_is_left_out_is_said(self):
        at = opened()
        tikz = r"\input{x} \fill[red] (0,0) circle (1); \node at (0,0) {![x](https://evil.example/a.png)};"
        at.text_area(key=f"{STEM}_svg").set_value(tikz).run()
        assert not at.exception
        assert "Shapes drawn: 1; left out: \\\\input ×1, \\\\node ×1." in words(at)
        assert "evil" not in words(at)

    def test_what_holds_no_drawing_is_said(self):
        at = opened()
        at.text_area(key=f"{STEM}_svg").set_value("I cannot draw.").run()
        assert "Nothing in this text can be drawn" in words(at)

    def test_without_a_text_model_the_command_is_named(self):
        at = opened()
        assert "No model that writes text is on this machine" in words(at)
        assert "python -m lecture_core.catalog pull" in words(at)
        assert all(button.key != f"{STEM}_draw" for button in at.button)


@pytest.fixture
def drawn_by(monkeypatch):
    """Give a function that lets the page draw with an engine of ours and models of these ids."""
    monkeypatch.setattr(blind_vote, "TALLY", Tally())
    monkeypatch.setattr(unicorn, "STUDIO", Studio())

    def opened_with(reply, *models, **query):
        here = lambda spec: SimpleNamespace(usable=spec.id in models, command="pull it")  # noqa: E731
        monkeypatch.setattr(unicorn, "availability", here)
        engine = ScriptedEngine(reply=reply)
        monkeypatch.setattr(unicorn, "get_engine", lambda: engine)
        return opened(**query), engine

    return opened_with


def draw(at):
    at.button(key=f"{STEM}_draw").click().run()
    return finished(at)


def finished(at):
    """The page once nothing is being written any more, as its own looks would show it."""
    assert unicorn.STUDIO.wait(20)
    at.run()
    assert not at.exception
    return at


def ballot(at):
    return next(group for group in at.segmented_control if group.key.startswith(f"{STEM}_vote_"))


@pytest.mark.usefixtures("no_model")
class TestBlindVote:
    def test_the_models_are_asked_only_on_demand_and_once(self, drawn_by):
        at, engine = drawn_by(lambda _: DRAWN, "gpt2", thing="horse")
        assert engine.prompts == []
        draw(at).run()
        assert len(engine.prompts) == 3
        assert all("a horse" in messages[-1].content and len(messages) == 3 for messages in engine.prompts)
        at.toggle(key=f"{STEM}_example").set_value(False).run()
        assert len(engine.prompts) == 3
        draw(at)
        assert all(len(messages) == 1 for messages in engine.prompts[3:])

    def test_tikz_is_asked_for_by_its_name_and_drawn(self, drawn_by):
        at, engine = drawn_by(lambda _: r"\fill[red] (0,0) circle (1);", "gpt2", language="TikZ")
        draw(at)
        _, house, last = engine.prompts[0]
        assert "Draw a unicorn in TikZ" in last.content
        assert "{" not in last.content
        assert drawing.shows_anything(house.content)
        assert drawing.read(house.content).refused == {}
        assert ballot(at).options == ["A", "B", "C", "None of them"]

    def test_names_texts_and_tally_stay_hidden_until_the_vote(self, drawn_by):
        at, _ = drawn_by(lambda _: DRAWN, "gpt2", "gpt2-medium", "gpt2-large")
        draw(at)
        assert ballot(at).options == ["A", "B", "C", "None of them"]
        assert "Who drew what" not in words(at)
        assert DRAWN not in words(at)
        assert at.button(key=f"{STEM}_cast").disabled
        ballot(at).set_value("B").run()
        at.button(key=f"{STEM}_cast").click().run()
        assert not at.exception
        assert "Who drew what" in words(at)
        assert words(at).count("Shapes drawn: 1; left out: script ×1.") == 3
        assert "1 vote on exactly these drawings, kept in this server's memory until it restarts." in words(at)
        names = [expander.label for expander in at.expander if "seed 0" in expander.label]
        assert {name.split(", ")[0][3:] for name in names} == {"gpt2", "gpt2-medium", "gpt2-large"}
        votes = next(frame.value for frame in at.dataframe if "Votes" in frame.value)
        assert votes["Votes"].tolist() == ["0", "1, yours", "0", "0"]

    def test_a_second_visitor_adds_to_the_same_round(self, drawn_by, monkeypatch):
        for visitor, letter in (("one", "A"), ("two", "A"), ("three", "None of them")):
            at, _ = drawn_by(lambda _: DRAWN, "gpt2")
            monkeypatch.setattr(blind_vote, "browser_id", lambda visitor=visitor: visitor)
            draw(at)
            ballot(at).set_value(letter).run()
            at.button(key=f"{STEM}_cast").click().run()
        assert "3 votes on exactly these drawings" in words(at)

    def test_without_a_vote_all_is_told_and_nothing_counted(self, drawn_by):
        at, _ = drawn_by(lambda _: DRAWN, "gpt2")
        draw(at)
        at.button(key=f"{STEM}_peek").click().run()
        assert "You revealed them without a vote." in words(at)
        assert "0 votes on exactly these drawings" in words(at)

    def test_a_text_that_draws_nothing_is_called_so_and_cannot_be_voted_for(self, drawn_by):
        texts = iter([DRAWN, "I cannot draw.", '<svg><rect width="5" height="5" fill="white"/></svg>'])
        at, _ = drawn_by(lambda _: next(texts), "gpt2")
        draw(at)
        assert words(at).count("Did not draw.") == 2
        assert ballot(at).options == ["A", "None of them"]

    def test_where_nobody_draws_there_is_no_vote_and_all_is_told(self, drawn_by):
        at, _ = drawn_by(lambda _: "<b>no</b> ![x](https://evil.example/a.png)", "gpt2")
        draw(at)
        assert "None of the 3 drew anything" in words(at)
        assert "Who drew what" in words(at)
        assert not any("evil" in markdown.value for markdown in at.markdown)

    def test_a_refusal_belongs_to_its_drawing(self, drawn_by):
        def reply(prompt):
            raise BusyError("Too many wait.")

        at, _ = drawn_by(reply, "gpt2")
        draw(at)
        assert words(at).count("Did not draw.") == 3
        assert words(at).count("Too many wait.") == 3
