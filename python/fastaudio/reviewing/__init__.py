"""The review loop: what to listen to next, labels in a plain CSV, and training on what a scan has embedded.

Modules: `labels` is the CSV, `candidates` are the stretches to label next, `doubt` says how uncertain scores
are, `training` gives `heads.fit` the rows of labelled sound that a scan holds.
"""
