"""The page with pictures of any kind, covers by hand, and a chat model of SmolVLM's class beside ours."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from lecture_core import catalog, loading, multimodal_code
from lecture_core.engine import get_engine
from lecture_core.engine.pictures import Picture
from lecture_core.sample_pictures import SAMPLES
from lecture_core.scene_questions import DESCRIBE
from lecture_core.scenes import parse, render
from tests.pages.test_multimodal_page import SCENE, STEM, no_model, opened, words
from tests.tiny.models import write_vision_chat

CHAT = "smolvlm-256m-instruct"
__all__ = ["no_model"]


@pytest.fixture(scope="session")
def chat_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    write_vision_chat(folder)
    return folder


@pytest.fixture
def pulled(chat_folder, monkeypatch):
    """SmolVLM-256M as if it had been pulled, with tiny weights; the 500M stays missing."""
    found = loading._hub_snapshot
    monkeypatch.setattr(loading, "_hub_snapshot", lambda spec: chat_folder if spec.id == CHAT else found(spec))


def own_picture():
    file = BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(file, "PNG")
    return "photo.png", file.getvalue(), "image/png"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_picture_with_grain_and_a_description(name):
    sample = SAMPLES[name]
    pixels = sample.draw()
    assert pixels.shape == (192, 256, 3)
    assert pixels.dtype == np.uint8
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 5_000  # no flat drawing
    assert "drawn by this project" in sample.description


@pytest.mark.usefixtures("tiny_vlm")
class TestCovers:
    def test_the_line_beside_the_board_gives_the_whole_answers_probability(self):
        at = opened(scene=SCENE, question="how many shapes are there?")
        assert re.search(r"“.*”: \*\*[<\d. ]+%\*\* with nothing covered", words(at))

    def test_with_covers_it_says_what_is_left_of_that_answer(self):
        at = opened(scene=SCENE, question=DESCRIBE)
        at.multiselect(key=f"{STEM}_covered").set_value(["A1", "B3"]).run()
        assert not at.exception
        line = next(m.value for m in at.markdown if "as you covered it" in m.value)
        engine, whole = get_engine(), Picture.of(render(parse(SCENE)))
        result = engine.answer_about_image(whole, DESCRIBE, model="tiny-vlm")
        ids = [token.token_id for token in result.tokens]
        seen = parse(SCENE)
        empty = Picture.of(render(type(seen)(())))  # both shapes lie in those cells
        left = engine.answer_when_covered(empty, DESCRIBE, ids, model="tiny-vlm", grid=1).probability
        from lecture_core.ui.results import percent

        assert f"**{percent(result.probability)}** uncovered, **{percent(left)}** as you covered it" in line

    @pytest.mark.parametrize("query", [{"scene": "nonsense"}, {"question": "\x07"}, {"question": "star " * 40}])
    def test_one_mistake_is_told_once(self, query):
        at = opened(**query)
        assert not at.exception
        assert len(at.error) == 1


@pytest.mark.usefixtures("tiny_vlm")
class TestPhotos:
    def test_nothing_is_asked_about_a_photo_until_one_is_chosen(self):
        at = opened()
        assert words(at).count("The model answers") == 1
        assert "pull smolvlm-256m-instruct" in words(at)
        assert "pull smolvlm-500m-instruct" in words(at)

    def test_a_link_restores_a_sample_and_its_question(self):
        at = opened(sample="Apple", photo_question="what colour is it?")
        assert not at.exception
        assert at.pills(key=f"{STEM}_sample").value == "Apple"
        assert words(at).count("The model answers") == 2
        assert "drawn by this project" in words(at)

    def test_a_visitors_picture_goes_first_and_is_not_kept(self):
        at = opened(sample="Apple")
        held = get_engine().results.held
        at.file_uploader(key=f"{STEM}_photo").set_value(own_picture()).run()
        assert "The picture you uploaded" in words(at)
        at.toggle(key=f"{STEM}_photo_rests").set_value(True).run()
        at.session_state[f"{STEM}_photo_covered"] = ["A1", "B2"]
        at.run()
        assert not at.exception
        assert words(at).count("With nothing covered") == 2
        assert "as you covered it" in words(at)
        assert get_engine().results.held == held

    def test_covers_are_taken_away_again(self):
        at = opened(sample="Landscape")
        at.session_state[f"{STEM}_photo_covered"] = ["D1"]
        at.run()
        assert "as you covered it" in words(at)
        at.multiselect(key=f"{STEM}_photo_covered").set_value([]).run()
        assert "as you covered it" not in words(at)

    def test_a_link_brings_covers_back(self):
        at = opened(sample="Apple", photo_covered=["B2", "C3"])
        assert not at.exception
        assert at.multiselect(key=f"{STEM}_photo_covered").value == ["B2", "C3"]
        assert "as you covered it" in words(at)

    def test_the_code_of_the_panel_shows_both_kinds_of_model(self):
        at = opened()
        code = next(c.value for c in at.code if 'Image.open("photo.png")' in c.value)
        assert "AutoProcessor" in code
        assert "decoder_input_ids" in code
        compile(code, "panel", "exec")


@pytest.mark.usefixtures("tiny_vlm", "pulled")
class TestChatModel:
    def test_every_usable_model_can_be_chosen_and_the_others_name_their_command(self):
        at = opened()
        assert at.selectbox(key=f"{STEM}_photo_model").options == ["tiny VLM · 23M", "SmolVLM 256M Instruct · 256M"]
        assert "pull smolvlm-256m-instruct" not in words(at)
        assert "pull smolvlm-500m-instruct" in words(at)

    def test_a_link_asks_the_chat_model_about_a_sample(self):
        at = opened(photo_model=CHAT, sample="Apple", photo_question="Describe it.")
        assert not at.exception
        assert not at.error
        picture = Picture.of(SAMPLES["Apple"].draw())
        answer = get_engine().answer_about_image(picture, "Describe it.", model=CHAT)
        assert answer.text in [code.value for code in at.code]
        assert CHAT in words(at)

    def test_its_answer_can_be_covered(self):
        at = opened(photo_model=CHAT, sample="Apple", photo_rests="true")
        at.session_state[f"{STEM}_photo_covered"] = ["B2", "C2", "B3", "C3"]
        at.run()
        assert not at.exception
        assert not at.error
        assert "as you covered it" in words(at)

    def test_the_shown_code_gives_the_answer_on_screen(self, chat_folder, tmp_path, monkeypatch, capsys):
        Image.fromarray(SAMPLES["Apple"].draw()).save(tmp_path / "photo.png")
        monkeypatch.chdir(tmp_path)
        code = multimodal_code.photo_code(catalog.get(CHAT), "What is it?")
        assert 'folder = "HuggingFaceTB/SmolVLM-256M-Instruct"' in code
        exec(code.replace("HuggingFaceTB/SmolVLM-256M-Instruct", str(chat_folder)), {})
        picture = Picture.of(SAMPLES["Apple"].draw())
        assert (
            capsys.readouterr().out.strip() == get_engine().answer_about_image(picture, "What is it?", model=CHAT).text
        )

    def test_a_link_to_a_model_that_is_not_here_names_its_command(self):
        at = opened(photo_model="smolvlm-500m-instruct")
        assert not at.exception
        assert any("pull smolvlm-500m-instruct" in warning.value for warning in at.warning)


@pytest.mark.usefixtures("no_model")
def test_without_any_model_the_photo_code_is_still_shown():
    at = opened()
    assert any("apply_chat_template" in code.value for code in at.code)
    assert len(at.file_uploader) == 0
