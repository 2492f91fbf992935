"""Lists in pages: `_links`, `meta`, and 404 past the end."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from listening.standin.records import Refused
from listening.standin.server import Answer, Call

PAGE_SIZE = 20
LARGEST_PAGE = 100


def paged(call: Call, base_url: str, items: Sequence[Any], shape: Callable[[Any], dict[str, Any]]) -> Answer:
    """One page of a list, twenty items unless `page_size` says otherwise. Raises Refused with 404 past the last page."""
    try:
        number = int(call.query.get("page", "1"))
        size = min(int(call.query.get("page_size", PAGE_SIZE)), LARGEST_PAGE)
    except ValueError as error:
        raise Refused("page and page_size are whole numbers.") from error
    last = max(-(-len(items) // max(size, 1)), 1)
    if size < 1 or not 1 <= number <= last:
        raise Refused("Invalid page.", status=404, title="Not found")

    def link(page: int | None, title: str) -> dict[str, Any]:
        query = urlencode({**call.query, "page": page, "page_size": size})
        return {"href": f"{base_url}{call.path}?{query}" if page else None, "title": title}

    links = {
        "self": link(number, "Self"),
        "next": link(number + 1 if number < last else None, "Next"),
        "previous": link(number - 1 if number > 1 else None, "Previous"),
        "last": link(last, "Last"),
    }
    chosen = items[(number - 1) * size : number * size]
    return Answer({"results": [shape(item) for item in chosen], "_links": links, "meta": {"count": len(items)}})
