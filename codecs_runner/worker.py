"""Celery application of audio workers: no Django, no database.

Start one with ``celery -A codecs_runner.worker worker -Q render``. CELERY_BROKER_URL names the broker, STIMULUS_STORE the
folder that workers and site share, CODEC_WEIGHTS the weights. The broker's address may lie in a file, see `environment`.
"""

from celery import Celery

from codecs_runner.environment import setting

_BROKER = setting("CELERY_BROKER_URL", "redis://localhost:6379/0")

app = Celery(
    "codecs_runner",
    broker=_BROKER,
    backend=setting("CELERY_RESULT_BACKEND", _BROKER),
    include=["codecs_runner.tasks"],
)
app.conf.update(
    task_default_queue="render",
    task_acks_late=True,
    # A clip that kills its worker comes back through its row, which counts attempts; the broker would deliver it for ever.
    task_reject_on_worker_lost=False,
    worker_prefetch_multiplier=1,
    # Lists take long: none is taken for lost by the broker while it is being done.
    broker_transport_options={"visibility_timeout": 6 * 3600},
    # However long the broker is away, wait for it.
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
)
