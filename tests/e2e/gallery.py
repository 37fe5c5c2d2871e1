"""Every component with ordinary and hostile content, for the tests in a real browser."""

import streamlit as st

from lecture_core.errors import InvalidInputError
from lecture_core.provenance import Provenance
from lecture_core.ui import inputs, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.results import StripToken

IMAGE = "![x](https://evil.example/a.png)"
SCRIPT = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"

st.set_page_config(layout="wide")
st.title("Gallery")
text = inputs.text("gallery", "text", "Text", "default", presets={"Doctor": "She went to the [MASK].", "Image": IMAGE})
st.text(f"text: {text}")
inputs.seed("gallery")

tokens = [
    StripToken("[CLS]", special=True),
    StripToken("play", value=0.2),
    StripToken("ing", value=0.4, starts_word=False),
    StripToken("chess", value=0.87, mark="replaced", label="fake"),
    StripToken("[MASK]", value=0.5, mark="masked"),
    StripToken("dog", mark="random"),
    StripToken("cat", mark="kept", label="original"),
    StripToken("sun", mark="selected"),
    StripToken(SCRIPT, value=0.1),
    StripToken(IMAGE),
    StripToken("a\u202eb\n"),
    StripToken(" "),
    StripToken("x" * 300),
    StripToken("[SEP]", special=True),
]


def count_click(index):
    st.session_state["gallery_clicks"] = [*st.session_state.get("gallery_clicks", []), index]


results.token_strip("gallery_strip", tokens, on_click=count_click)
st.text(f"clicks: {st.session_state.get('gallery_clicks', [])}")
results.token_strip(
    "gallery_rtl",
    [StripToken("[CLS]", special=True), StripToken("שלום", value=0.5), StripToken("עולם")],
    family="electra",
)
results.token_strip("gallery_many", [StripToken(f"w{i}", value=i / 60) for i in range(60)], family="decoder")
results.candidate_bars(
    "gallery_bars",
    [("hospital", 0.6), (SCRIPT, 0.1), (IMAGE, 0.01)],
    asked=[("bank", 2e-5, 4213), ("hospital", 0.6, 1)],
)
results.model_text(f"# title\n{IMAGE}\n{SCRIPT}", label="Answer")
results.rate("Accuracy", 31, 50)
results.caption(Provenance("minilm-mlm", "3f2a", "cpu", "float32", 7, 0.03))
with user_errors():
    raise InvalidInputError(
        expected="a mask", got=f"{IMAGE} {SCRIPT} www.evil.example", remedy="click a word to mask it"
    )
page.footer("gallery", code="print('hello')")
