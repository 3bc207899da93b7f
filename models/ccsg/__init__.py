"""CCSG: a conditional diffusion model that turns a pattern and a composition into candidate crystals."""
