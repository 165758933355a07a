"""The TypeScript client: its tests in Node, and its behaviour in Chromium."""
