"""A web server over pipelines: files and live sound go in, tags and events come out. Needs the extra [serve].

    from fastaudio import Pipeline, serving
    serving.serve([Pipeline.load("musicnn-mtt")], serving.Settings(port=8000))

`settings` has the bounds, `served` the models, and `running` binds the address and runs `application`, the
routes. `guarding` refuses hosts, origins and callers, and `connections` those who are slow. A file comes by
`uploads`, through `spooling` and `multipart`, and `hearing` runs it; live sound is a `session`, which `live`
opens. `parameters` reads queries, `refusing` says errors, `spectra` makes small pictures, `numbers` spells
scores, `measures` counts for Prometheus, `archive` searches and labels what scans wrote, of
which `excerpts` gives the sound, `describing` documents the interface and `pages` gives the web page.
`standalone` writes a page that needs no server.
"""

from fastaudio.serving.running import serve
from fastaudio.serving.settings import Settings

__all__ = ["Settings", "serve"]
