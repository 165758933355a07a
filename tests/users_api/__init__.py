"""Tests of the API for back ends."""
