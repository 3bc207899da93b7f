"""What draws one thing of the page each, from values to HTML, figures and JSON, with its style sheets and scripts."""
