"""What pages are made of: header, inputs, results, errors. The only part of the package that imports Streamlit."""
