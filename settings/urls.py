"""All addresses: the product's and the administration's."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("consent.urls")),
]
handler500 = "consent.views.wellknown.failed"
