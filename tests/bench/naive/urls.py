from django.urls import path

from tests.bench.naive.views import EarnView

urlpatterns = [path("api/v1/transactions", EarnView.as_view())]
