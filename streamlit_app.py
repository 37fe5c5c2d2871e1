"""Lecture Lab: run the lecture "Pre-training and large language models" on real models."""

from pathlib import Path

import streamlit as st

from lecture_core.outline import PAGES, PARTS
from lecture_core.ui import first_views, instructor, links, waiting
from lecture_core.ui.sidebar import sidebar

ICON = Path(__file__).parent / "lecture_core" / "ui" / "icon.svg"

# Before the navigation: otherwise the browser is sent to a foreign server for the icon of the page.
st.set_page_config(page_icon=str(ICON), layout="wide", initial_sidebar_state=284)
st.logo(str(ICON), size="large")

navigation = st.navigation(
    {
        title: [
            st.Page(row.path, title=row.title, icon=row.icon, url_path=row.stem, default=row.stem == "home")
            for row in PAGES
            if row.part == part
        ]
        for part, title in PARTS.items()
    },
    expanded=True,
)
waiting.install()
instructor.install()
machine = st.sidebar.empty()
sidebar(machine)
first_views.begin()
note, asked = st.empty(), links.opened()
navigation.run()
links.explain_dropped(note, asked)
sidebar(machine)  # again: the page may have loaded a model
first_views.follow()
