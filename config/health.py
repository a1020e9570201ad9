"""Three questions that machines ask. None needs a session, none tells a stranger more than what is wrong in general."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from health_check.checks import Database
from health_check.contrib.redis import Redis
from health_check.views import HealthCheckView
from redis.asyncio import Redis as Client

from config import operations


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """This process answers: 200 without looking at anything else. If not, restart it."""
    return HttpResponse("ok\n", content_type="text/plain")


class Ready(HealthCheckView):
    """This process can serve people: 200 when database and broker answer, else 500. If not, send no traffic."""

    checks = (
        Database,
        (Redis, {"client_factory": lambda: Client.from_url(settings.REDIS_URL, socket_connect_timeout=2)}),
    )

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        return self.render_to_response_json(response_kwargs["status"])

    def render_to_response_json(self, status: int) -> HttpResponse:
        """The names of the parts and whether each answers; where they run stays inside."""
        return JsonResponse(
            {type(result.check).__name__.lower(): "unavailable" if result.error else "ok" for result in self.results},
            status=status,
        )

    def render_to_response_text(self, status: int) -> HttpResponse:
        """The same in JSON: one format is enough for a machine."""
        return self.render_to_response_json(status)


@require_safe
@never_cache
def work(request: HttpRequest) -> HttpResponse:
    """Dates are kept and people are told: 200, else 503 with the reasons. If not, call somebody; see docs/operating.md.

    Not for a load balancer: the pages go on while the sweep stands still.
    """
    _figures, _hints, alarms = operations.look(at=timezone.now())
    failing = [alarm for alarm in alarms if alarm not in operations.MILD]
    with translation.override("en"):  # read by machines and written into tickets
        reasons = [{"code": alarm.value, "says": str(operations.SAYS[alarm])} for alarm in failing]
    return JsonResponse({"status": "failing" if failing else "ok", "reasons": reasons}, status=503 if failing else 200)
