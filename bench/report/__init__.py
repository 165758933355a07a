"""What a run has found, written down: JSON, Markdown and a chart."""
