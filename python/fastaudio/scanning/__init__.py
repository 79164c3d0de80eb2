"""A scan runs a model over many files into a folder of tables, and goes on after any interruption.

Modules: `entries` finds what to run over, `manifests` reads tables that list it, `remote` what lies behind
URLs; `networks` chooses what runs, `work` runs one file, `rows` are what it gives, `schema` their columns;
`shards` are the tables on disk, `fence` says whose they are; `order` puts files in order, `pool` runs over
them in threads, `scan` over all; `rescoring` runs a head over the embeddings of another scan.
"""
