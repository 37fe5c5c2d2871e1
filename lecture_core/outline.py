"""The lecture's outline: one row a page. A page is one file in pages/<part>/ and one row here."""

from dataclasses import dataclass
from typing import Literal

Part = Literal["overview", "pretraining", "prompting", "scaling", "reference"]
PARTS: dict[Part, str] = {
    "overview": "Overview",
    "pretraining": "Pre-training",
    "prompting": "Prompting",
    "scaling": "Scaling",
    "reference": "Reference",
}


@dataclass(frozen=True)
class PageRow:
    """A page of the app.

    Attributes:
        stem: file name without suffix; also the address under the site's root.
        promise: one sentence: what a student can do after it.
        lecture: section of the lecture it belongs to.
        icon: a Material symbol.
    """

    stem: str
    part: Part
    title: str
    promise: str
    lecture: str
    icon: str

    @property
    def path(self) -> str:
        """Script path relative to the project root."""
        return f"pages/{self.part}/{self.stem}.py"


PAGES: tuple[PageRow, ...] = (
    PageRow("home", "overview", "Lecture Lab", "Run the lecture's ideas on real models.", "Outline", ":material/home:"),
    PageRow(
        "masked_lm",
        "pretraining",
        "Masked language model",
        "Hide a word and see what the model expects there, from both sides.",
        "Recap: pre-training and fine-tuning; RoBERTa",
        ":material/visibility_off:",
    ),
    PageRow(
        "three_objectives",
        "pretraining",
        "Three objectives",
        "See what an encoder, a decoder and an encoder-decoder learn from the same sentence.",
        "Three major forms of pre-training",
        ":material/view_agenda:",
    ),
    PageRow(
        "replaced_token_detection",
        "pretraining",
        "Replaced token detection",
        "Find the fake words before ELECTRA's discriminator does.",
        "ELECTRA",
        ":material/fact_check:",
    ),
    PageRow(
        "text_to_text",
        "pretraining",
        "Text to text",
        "Give one model many tasks, each named by a prefix, and fill spans as T5 does.",
        "Text-to-text models; T5",
        ":material/swap_horiz:",
    ),
    PageRow(
        "next_token",
        "prompting",
        "Next token",
        "Read a language model as a distribution over the next token, step through it, and let it write.",
        "From GPT to GPT-3; zero-shot",
        ":material/keyboard_double_arrow_right:",
    ),
    PageRow(
        "in_context_learning",
        "prompting",
        "In-context learning",
        "Watch a model learn a task inside one forward pass, and spoil the examples to see what it needs.",
        "GPT-3's in-context learning",
        ":material/stacked_line_chart:",
    ),
    PageRow(
        "few_shot",
        "prompting",
        "Few-shot prompting",
        "Teach a task with a few examples in the prompt and measure how well it works.",
        "GPT-3: in-context learning",
        ":material/format_list_numbered:",
    ),
    PageRow(
        "chain_of_thought",
        "prompting",
        "Chain of thought",
        "Let a model write its reasoning first, and count whether that helps.",
        "Chain-of-thought prompting",
        ":material/psychology:",
    ),
    PageRow(
        "chinchilla",
        "scaling",
        "Chinchilla scaling law",
        "Split a compute budget between parameters and tokens.",
        "Scaling laws",
        ":material/trending_down:",
    ),
    PageRow(
        "scaling_bench",
        "scaling",
        "Fit, forecast, reveal",
        "Fit a scaling law to real training runs, forecast the costliest ones, then look; or fit your own.",
        "Scaling laws",
        ":material/experiment:",
    ),
    PageRow(
        "open_weight_models",
        "scaling",
        "Open-weight models",
        "See how long open models were trained, and find the cheapest one for what you must serve.",
        "Open-weight models; recent models are trained for much longer",
        ":material/inventory_2:",
    ),
    PageRow(
        "multimodal",
        "scaling",
        "Multi-modal",
        "Ask about a picture, cover parts of it, and see what the answer rests on.",
        "Multi-modal: GPT-4",
        ":material/image_search:",
    ),
    PageRow(
        "tables",
        "reference",
        "Lecture tables",
        "Sort, filter and download every table of the lecture.",
        "All sections",
        ":material/table_chart:",
    ),
    PageRow(
        "models",
        "reference",
        "Model cards",
        "See what each model is, how big it is, how good ours are, and what is on this machine.",
        "All sections",
        ":material/deployed_code:",
    ),
)


_BY_STEM = {row.stem: row for row in PAGES}


def page(stem: str) -> PageRow:
    """Return the row of a page; `KeyError` if there is none."""
    return _BY_STEM[stem]
