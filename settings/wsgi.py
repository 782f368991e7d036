"""The WSGI application: refuses to start on settings that cannot be understood."""

from django.core.handlers.wsgi import WSGIHandler

from settings.starting import start

start()
application = WSGIHandler()
