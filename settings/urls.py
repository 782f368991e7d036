"""All addresses: the product's and the administration's."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("consent.urls")),
]
handler400 = "consent.views.wellknown.bad_request"
handler404 = "consent.views.wellknown.not_found"
handler500 = "consent.views.wellknown.failed"
