"""What a scan heard, summed up: hours of sound per label, per day and per folder.

Modules: `days` finds on which day a file was recorded, `hours` adds up, `picture` draws it.
"""
