"""The review loop: what to listen to next, and labels in a plain CSV.

Modules: `labels` is the CSV, `candidates` are the stretches to label next, `doubt` says how uncertain scores
are.
"""
