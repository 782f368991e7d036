"""The ASGI application. WSGI is the one to serve with: it is several times faster."""

from django.core.handlers.asgi import ASGIHandler

from settings.starting import start

start()
application = ASGIHandler()
