"""The look of all pages, light and dark."""

from __future__ import annotations

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2329; }
h1 { font-size: 1.4rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.sub { color: #5b6770; margin-top: 0; } .good { color: #1c7c44; } .bad { color: #b3293d; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; border-bottom: 2px solid #c9d1d7; }
td, th { padding: .35rem .6rem; vertical-align: top; } tr:nth-child(even) td { background: #f4f6f8; }
.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.id { white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { overflow-x: auto; } svg text { font: 11px system-ui, sans-serif; fill: #5b6770; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; border-radius: 2px; }
@media (prefers-color-scheme: dark) {
  body { background: #12171c; color: #dfe5ea; } .sub, svg text { color: #9aa7b1; fill: #9aa7b1; }
  tr:nth-child(even) td { background: #1a2128; } th { border-color: #39444d; }
  .good { color: #6fce95; } .bad { color: #ff8a9a; }
}
"""
