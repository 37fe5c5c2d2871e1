"""Charts: plain data in, a plotly figure out. Knows no page; `template` gives all of them one look."""
