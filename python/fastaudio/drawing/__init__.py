"""How numbers become pictures, by matplotlib; `fastaudio.plot` has the functions for results.

`figures` makes figures, axes and files; `clock` is the axis of time, `pitch` that of frequency; `thinning`
makes long rows short. `waves`, `image`, `heat_map`, `lanes`, `score_bars`, `matrix`, `bins`, `points` and
`boxes` draw; `notebook` gives what a notebook shows.
"""
