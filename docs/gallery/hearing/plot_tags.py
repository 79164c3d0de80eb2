"""
Tags over time
==============

A window every quarter of a second, each of three seconds; the column stands around the middle of what it
heard.
"""

import fastaudio as fa

tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.25)
tags = tagger("../../../examples/guitar.flac")
print(tags.top(3))
ax = tags.plot(top=8)

# %%
# One label over time is an array, and a data frame has all of them:
print(tags["guitar"].round(2))
print(tags.to_pandas().iloc[:3, :6])
