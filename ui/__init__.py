"""The Gradio page."""

__distribution__ = "xtalscout"

import os

# Read by gradio and its web client when they are imported: the page must reach no other machine, and gradio's look at
# its own server must not go through a proxy, which would refuse it.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for _name in ("NO_PROXY", "no_proxy"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1", "localhost"]))
