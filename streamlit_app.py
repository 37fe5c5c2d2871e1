"""Lecture Lab: run the lecture "Pre-training and large language models" on real models."""

import streamlit as st

from lecture_core.outline import PAGES, PARTS
from lecture_core.ui.sidebar import sidebar

st.set_page_config(page_title="Lecture Lab", page_icon=":material/experiment:", layout="wide")

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
sidebar()
navigation.run()
