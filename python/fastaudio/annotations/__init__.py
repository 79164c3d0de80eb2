"""Events as other programs read them.

`event` is one of them; `tables` writes lines for Audacity, Raven Pro and RTTM, and `praat` a whole TextGrid.
"""
