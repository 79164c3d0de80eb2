"""
Notes of a chord
================

``basic-pitch`` scores the 88 keys of a piano. ``Unroll`` puts the rows of its overlapping windows in time,
and ``Events`` makes notes of them.
"""

import fastaudio as fa

model = fa.Pipeline.load("basic-pitch")
names = model.output_specs[""].labels
frames = model.layer("note") >> fa.Unroll(rate_hz=22_050 / 256) >> fa.Tags(names)
notes = (frames >> fa.Events(onset=0.5, min_on_s=0.2))("../../../examples/guitar.flac")
for note in notes[:6]:
    print(f"{note.label:3} {note.start_s:5.2f} to {note.end_s:5.2f} s, peak {note.peak:.2f}")
ax = notes.plot()
