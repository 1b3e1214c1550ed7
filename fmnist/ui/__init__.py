"""What the pages share: caches and widgets. The only package below pages/ that knows Streamlit."""
