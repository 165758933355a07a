"""Reports of a run: JSON, Markdown and an SVG chart."""
