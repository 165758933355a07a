"""Bar chart of the server's CPU time per refresh and per me, as SVG for light and dark pages."""

from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 280, 80, 18, 8, 34
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.bar { fill: #8c959f }
.own { fill: #1a7f5a }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6e7681 } .own { fill: #3fb68b } }
"""


def render_svg(results: dict[str, Any]) -> str:
    """Return the SVG document."""
    shapes, y = [], 0
    for endpoint in ("refresh", "me"):
        part, y = panel(endpoint, results["systems"], y)
        shapes += part
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">'
    title = "<title>Server CPU per request, in microseconds; shorter is better</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *shapes, "</svg>"]) + "\n"


def panel(endpoint: str, systems: dict[str, Any], y: int) -> tuple[list[str], int]:
    """Return the bars of one endpoint, the shortest first, and the vertical position below them."""
    costs = [
        (one["endpoints"][endpoint]["cpu_us"], name, one["title"])
        for name, one in systems.items()
        if endpoint in one["endpoints"]
    ]
    longest = max((cost for cost, _, _ in costs), default=1)
    shapes = [
        f'<text class="head" x="0" y="{y + 20}">{endpoint}: server CPU per request, µs (shorter is better)</text>'
    ]
    y += TOP
    for cost, name, title in sorted(costs):
        length = max(2, round(cost / longest * (WIDTH - LEFT - RIGHT)))
        kind = "own" if name == "latchkey" else "bar"
        shapes += [
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(title)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length}" height="{BAR}" rx="2"/>',
            f'<text x="{LEFT + length + 6}" y="{y + 14}">{cost:,.0f}</text>',
        ]
        y += BAR + GAP
    return shapes, y + GAP
