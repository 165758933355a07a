"""Tests of the client packages in `clients/`, against a real server."""
