"""Tests of the applications in `examples/`, started by their own commands and driven in Chromium."""
