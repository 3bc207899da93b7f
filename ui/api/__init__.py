"""What programs ask: named endpoints, plain HTTP, and whether the server is well."""

from ui.api.api import add_api, offers_tools
from ui.api.calls import call_routes
from ui.api.health import health_route
from ui.api.plain_search import search_route
from ui.api.refusals import REFUSALS, tell_refusals

__all__ = ["REFUSALS", "add_api", "call_routes", "health_route", "offers_tools", "search_route", "tell_refusals"]
