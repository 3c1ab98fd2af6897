"""Showing a comparison: tables, Markdown, the page and its drawings."""
