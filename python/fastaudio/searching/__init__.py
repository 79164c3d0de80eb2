"""Searching what a scan has written: stretches of sound that are like another, or that a label fits best.

Modules: `store` keeps a scan's embeddings where they can be searched fast, `query` makes a vector of what is
looked for, `search` finds the best rows, `neighbours` finds about the best ones by an index.
"""
